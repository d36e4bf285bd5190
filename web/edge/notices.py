"""What do clients of OFREP hear? That something has changed; they ask again by themselves.

Source: OFREP 0.3, ADR 8. Events have no name of their own, as clients listen for `message`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec

from web.edge.http import Answer, Receive, Scope, Send, problem
from web.edge.snapshots import Snapshot
from web.edge.sse import tell
from web.edge.tickets import Tickets
from web.edge.tokens import Visitor

MOST = 1_000  # streams of a process; whoever is not let in polls, or tries again later


@dataclass(slots=True, eq=False)
class _Listener:
    """`news` is the newest ETag that it has not been told, None where it has been told everything."""

    visitor: Visitor
    may_listen: Callable[[Visitor], bool]
    news: bytes | None = None
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, etag: bytes) -> None:
        self.news = etag
        self.bell.set()

    async def words(self) -> bytes | None:
        if not self.may_listen(self.visitor):
            return None
        news, self.news = self.news, None
        return _event(news) if news else b""


class Notices:
    """All streams of this process."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._newest: dict[str, Snapshot] = {}
        self._listeners: dict[_Listener, None] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the client leaves, its token ends or the server stops. Raises Problem."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        listener = self._admitted(self._tickets.admit(query.get("token", [""])[0]))
        self._catch_up(listener, dict(scope["headers"]).get(b"last-event-id"))
        try:
            await tell(listener, receive, send)
        finally:
            self._listeners.pop(listener, None)

    async def publish(self, environment: str, snapshot: Snapshot) -> None:
        self._newest[environment] = snapshot
        for each in self._listeners:
            if each.visitor.environment == environment:
                each.hear(snapshot.etag)

    async def dismiss(self, is_valid: Callable[[str], bool], refusal: Answer) -> None:
        """They come back with the same address, and get `refusal` then."""
        del is_valid, refusal
        self._ring()

    def close(self) -> None:
        """Let everyone go, and take nobody from now on: the server is about to stop."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        for each in self._listeners:
            each.bell.set()

    def _may_listen(self, visitor: Visitor) -> bool:
        return not self._closed and self._tickets.is_valid(visitor)

    def _admitted(self, visitor: Visitor) -> _Listener:
        if self._closed or len(self._listeners) >= MOST:
            raise problem(503, "there are too many open streams: poll, or try again later", (b"retry-after", b"30"))
        listener = _Listener(visitor, self._may_listen)
        self._listeners[listener] = None
        return listener

    def _catch_up(self, listener: _Listener, heard: bytes | None) -> None:
        """Who was away is told at once if there was anything to hear. Who says nothing of what it has heard may have
        asked for all flags just before a change: it asks again by an ETag, and mostly learns that it had everything.
        """
        newest = self._newest.get(listener.visitor.environment)
        if newest and newest.is_newer_than(b'"' + heard + b'"' if heard else None):
            listener.hear(newest.etag)


def _event(etag: bytes) -> bytes:
    told = msgspec.json.encode({"type": "refetchEvaluation", "etag": etag.decode()})
    return b"id: " + etag.strip(b'"') + b"\nevent: message\ndata: " + told + b"\n\n"
