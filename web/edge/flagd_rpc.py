"""flagd's evaluation service as plain JSON, one flag a call: for the clients that know no other way to ask a server.

Elixir's provider writes `flagKey` and asks for numbers as ResolveNumber, PHP's writes `flag_key`. No protobuf, no gRPC,
no streams. Source: flagd.evaluation.v1 and v2, in the unary JSON form of the Connect protocol.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.evaluator import ErrorCode, Evaluation, Failure
from web.edge.contexts import Unreadable, context_of, read_question
from web.edge.evaluating import evaluate
from web.edge.flag_sets import FlagSets
from web.edge.http import Answer, Problem, Receive, Scope, Send, json_answer, reply
from web.edge.tokens import TokenTable, credentials_of

SERVICES = ("/flagd.evaluation.v1.Service", "/flagd.evaluation.v2.Service")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)


_TYPES: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "ResolveBoolean": ("a boolean", lambda value: isinstance(value, bool)),
    "ResolveString": ("a text", lambda value: isinstance(value, str)),
    "ResolveInt": ("a whole number", _is_whole),
    "ResolveFloat": ("a number", _is_number),
    "ResolveNumber": ("a number", _is_number),
    "ResolveObject": ("an object", lambda value: isinstance(value, dict)),
}
# Connect's words, each with its status.
_CODES: Mapping[ErrorCode, tuple[str, int]] = {
    ErrorCode.FLAG_NOT_FOUND: ("not_found", 404),
    ErrorCode.INVALID_CONTEXT: ("invalid_argument", 400),
    ErrorCode.PARSE_ERROR: ("data_loss", 500),
    ErrorCode.GENERAL: ("internal", 500),
}
_REFUSALS: Mapping[int, str] = {
    401: "unauthenticated",
    403: "permission_denied",
    413: "resource_exhausted",
    415: "invalid_argument",
    503: "unavailable",
}


class FlagdRpc:
    """`counts` gathers what was evaluated, together with OFREP's."""

    def __init__(self, tokens: TokenTable, flag_sets: FlagSets, counts: Counter[str]) -> None:
        self._tokens = tokens
        self._flag_sets = flag_sets
        self._counts = counts

    async def resolve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whatever is refused is refused in Connect's words, which is all that these clients read."""
        try:
            answer = await self._resolve(scope, receive)
        except Unreadable as error:
            answer = _error("invalid_argument", 400, error.details)
        except Problem as refused:
            status = refused.answer.status
            kept = [each for each in refused.answer.headers if each[0] in {b"www-authenticate", b"retry-after"}]
            answer = _error(_REFUSALS.get(status, "invalid_argument"), status, refused.detail, *kept)
        await reply(send, answer)

    async def _resolve(self, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(credentials_of(headers))
        method = scope["path"].rpartition("/")[2]
        if method not in _TYPES:
            return _error("unimplemented", 404, f"there is no {method} here: there are {', '.join(_TYPES)}")
        if not headers.get(b"content-type", b"application/json").startswith(b"application/json"):
            return _error("invalid_argument", 415, "send JSON: there is no protobuf here")
        question = await read_question(headers, receive)
        context, key = context_of(question), _key_of(question)
        loaded = await self._flag_sets.current(visitor.environment)
        self._counts["ofrep:evaluations"] += 1
        return _answer(await evaluate(loaded.evaluator, key, context), method)


def _key_of(question: Mapping[str, Any]) -> str:
    """Raises Unreadable."""
    key = question.get("flagKey", question.get("flag_key"))
    if not isinstance(key, str) or not key:
        raise Unreadable(ErrorCode.PARSE_ERROR, "flagKey is missing: name the flag")
    return key


def _answer(outcome: Evaluation | Failure, method: str) -> Answer:
    if isinstance(outcome, Failure):
        return _error(*_CODES[outcome.code], outcome.details)
    wanted, fits = _TYPES[method]
    if not fits(outcome.value):
        return _error("invalid_argument", 400, f"flag '{outcome.key}' has another type than {wanted}")
    return json_answer(200, _document(outcome, as_float=method == "ResolveFloat"))


def _document(outcome: Evaluation, *, as_float: bool) -> dict[str, Any]:
    """The metadata twice: v1 and v2 have them as `metadata`, Elixir's client reads `flagMetadata`."""
    return {
        "value": float(outcome.value) if as_float else outcome.value,
        "variant": outcome.variant,
        "reason": outcome.reason,
        "metadata": outcome.metadata,
        "flagMetadata": outcome.metadata,
    }


def _error(code: str, status: int, message: str, *headers: tuple[bytes, bytes]) -> Answer:
    return json_answer(status, {"code": code, "message": message}, (b"cache-control", b"no-store"), *headers)
