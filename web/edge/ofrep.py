"""OFREP 0.3: a flag, or all of them, evaluated for a context that comes with the question.

The official clients are stricter than the protocol: an answer always has `variant`, `value` and a reason of
OpenFeature's, a refusal always `errorDetails`. What is no matter of evaluation is answered by RFC 9457, as elsewhere.
Source: github.com/open-feature/protocol, service/openapi.yaml.
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from controlplane.evaluator import ErrorCode, Evaluation, Evaluator, Failure
from web.edge.contexts import Unreadable, context_of, read_question
from web.edge.evaluating import evaluate, evaluate_each
from web.edge.flag_sets import FlagSets
from web.edge.http import JSON, PRIVATE, Answer, Receive, Scope, Send, json_answer, reply
from web.edge.snapshots import tag_of
from web.edge.tickets import Tickets
from web.edge.tokens import TokenTable, Visitor, credentials_of

ALL = "/ofrep/v1/evaluate/flags"
EVENTS = "/ofrep/v1/events"
INACTIVITY_SECONDS = 120  # a page that nobody looks at for so long may let its stream go
_VARY = (b"vary", b"Authorization, X-API-Key")

CatchUp = Callable[[str, str, int], Awaitable[None]]  # environment, source, version


class Ofrep:
    """`catch_up` loads the version that a client has heard of elsewhere; `counts` gathers what was evaluated."""

    def __init__(
        self, tokens: TokenTable, tickets: Tickets, flag_sets: FlagSets, catch_up: CatchUp, counts: Counter[str]
    ) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._flag_sets = flag_sets
        self._catch_up = catch_up
        self._counts = counts

    async def one(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What stands behind the last known part of the address is the key, slashes and all."""
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(credentials_of(headers))
        key = scope["path"].removeprefix(f"{ALL}/")
        try:
            context = context_of(await read_question(headers, receive))
        except Unreadable as error:
            await reply(send, _answer(Failure(key, error.code, error.details)))
            return
        loaded = await self._flag_sets.current(visitor.environment)
        outcome = await evaluate(loaded.evaluator, key, context)
        self._count([outcome])
        await reply(send, _answer(outcome))

    async def all(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(credentials_of(headers))
        try:
            context = context_of(await read_question(headers, receive))
        except Unreadable as error:
            await reply(send, json_answer(400, {"errorCode": error.code, "errorDetails": error.details}))
            return
        await self._hear(visitor, scope["query_string"])
        loaded = await self._flag_sets.current(visitor.environment)
        outcomes = await evaluate_each(loaded.evaluator, loaded.evaluator.keys, context)
        self._count(outcomes)
        answer = _bulk(outcomes, loaded.evaluator, self._tickets.issue(visitor))
        await reply(send, _unless_held(answer, headers.get(b"if-none-match")))

    async def _hear(self, visitor: Visitor, query: bytes) -> None:
        """A notice may come from one process and the question go to another, which must not answer as before."""
        told = parse_qs(query.decode("latin-1")).get("flagConfigEtag", [""])[0]
        tag = tag_of(told.encode("latin-1", "replace"))
        if tag:
            await self._catch_up(visitor.environment, *tag)

    def _count(self, outcomes: Sequence[Evaluation | Failure]) -> None:
        failed = sum(isinstance(each, Failure) for each in outcomes)
        self._counts["ofrep:evaluations"] += len(outcomes)
        if failed:
            self._counts["ofrep:failures"] += failed


def _bulk(outcomes: Sequence[Evaluation | Failure], evaluator: Evaluator, ticket: str) -> Answer:
    """The ETag is that of all that is said, the address of the stream included: who asks again because that is over
    would be told 304, and never learn of the next.
    """
    stream = {"type": "sse", "endpoint": {"requestUri": f"{EVENTS}?token={ticket}"}}
    document = {
        "flags": [_document(each) for each in outcomes],
        "metadata": evaluator.metadata,
        "eventStreams": [{**stream, "inactivityDelaySec": INACTIVITY_SECONDS}],
    }
    body = msgspec.json.encode(document)
    etag = (b"etag", b'"%s"' % hashlib.blake2b(body, digest_size=16).hexdigest().encode())
    return Answer(200, (JSON, (b"content-length", b"%d" % len(body)), etag, PRIVATE, _VARY), body)


def _unless_held(answer: Answer, held: bytes | None) -> Answer:
    etag = dict(answer.headers)[b"etag"]
    tags = [each.strip().removeprefix(b"W/") for each in (held or b"").split(b",")]
    return Answer(304, ((b"etag", etag), PRIVATE, _VARY)) if etag in tags else answer


def _answer(outcome: Evaluation | Failure) -> Answer:
    if isinstance(outcome, Evaluation):
        return json_answer(200, _document(outcome))
    return json_answer(404 if outcome.code is ErrorCode.FLAG_NOT_FOUND else 400, _document(outcome))


def _document(outcome: Evaluation | Failure) -> dict[str, Any]:
    if isinstance(outcome, Failure):
        return {"key": outcome.key, "errorCode": outcome.code, "errorDetails": outcome.details}
    return {
        "key": outcome.key,
        "value": outcome.value,
        "variant": outcome.variant,
        "reason": outcome.reason,
        "metadata": outcome.metadata,
    }
