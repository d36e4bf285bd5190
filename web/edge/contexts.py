"""For whom is a flag evaluated? The body of a question, read and checked."""

from collections.abc import Mapping
from typing import Any

import msgspec

from controlplane.evaluator import Context, ErrorCode
from web.edge.body import Bounds, read_body
from web.edge.http import Problem, Receive

KEY = "targetingKey"
QUESTION = Bounds("a context", 1 << 16, "send only the attributes that rules ask for")


class Unreadable(Exception):
    """Nothing can be evaluated for this; `details` says what to send instead."""

    def __init__(self, code: ErrorCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


async def read_question(headers: Mapping[bytes, bytes], receive: Receive) -> Mapping[str, Any]:
    """The JSON object of a body; an empty body asks for nobody in particular. Raises Unreadable, and Problem."""
    try:
        document = msgspec.json.decode(await read_body(headers, receive, QUESTION) or b"{}")
    except Problem as refused:
        if refused.answer.status == 400:
            raise Unreadable(ErrorCode.PARSE_ERROR, refused.detail) from None
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(ErrorCode.PARSE_ERROR, f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Unreadable(ErrorCode.PARSE_ERROR, "the body is nested too deeply") from None
    if not isinstance(document, dict):
        raise Unreadable(ErrorCode.PARSE_ERROR, 'the body must be a JSON object like {"context": {…}}')
    return document


def context_of(question: Mapping[str, Any]) -> Context:
    """Raises Unreadable."""
    given = question.get("context")
    context = {} if given is None else given
    if not isinstance(context, dict):
        raise Unreadable(ErrorCode.INVALID_CONTEXT, "context must be an object of attributes")
    key = context.get(KEY)
    if key is not None and not isinstance(key, str):
        raise Unreadable(ErrorCode.INVALID_CONTEXT, f'{KEY} must be text: send "42" rather than 42')
    return Context(key, {name: value for name, value in context.items() if name != KEY})
