"""What a request and an answer are at the edge: as little as ASGI needs."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

JSON = (b"content-type", b"application/json")
PRIVATE = (b"cache-control", b"private, no-cache")
NO_STORE = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Answer:
    """Ready to be sent. `headers` carry the length of the body, also where the body itself is left out."""

    status: int
    headers: Headers
    body: bytes = b""


class Problem(Exception):
    """An answer that is no success; raised by the doors, sent by the dispatcher."""

    def __init__(self, answer: Answer, detail: str) -> None:
        super().__init__(answer.status)
        self.answer = answer
        self.detail = detail


def json_answer(status: int, document: Any, *headers: tuple[bytes, bytes]) -> Answer:  # noqa: ANN401 - JSON
    return _answer(status, JSON, document, headers or (NO_STORE,))


def problem(status: int, detail: str, *headers: tuple[bytes, bytes], errors: Iterable[tuple[str, str]] = ()) -> Problem:
    """RFC 9457. `errors`: (field, message) for each field that cannot be accepted."""
    document: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    document["detail"] = detail
    fields = [{"field": field, "message": message} for field, message in errors]
    if fields:
        document["errors"] = fields
    kind = (b"content-type", b"application/problem+json")
    return Problem(_answer(status, kind, document, (NO_STORE, *headers)), detail)


def _answer(
    status: int,
    kind: tuple[bytes, bytes],
    document: Any,  # noqa: ANN401 - JSON
    headers: Headers,
) -> Answer:
    body = msgspec.json.encode(document)
    return Answer(status, (kind, (b"content-length", b"%d" % len(body)), *headers), body)


async def reply(send: Send, answer: Answer, *, head: bool = False) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
