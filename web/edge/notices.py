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
from web.edge.sse import begin, gone, say, woken
from web.edge.tickets import Tickets
from web.edge.tokens import Visitor

BREATH_SECONDS = 15.0
MOST = 1_000  # streams of a process; whoever is not let in polls, or tries again later


@dataclass(slots=True, eq=False)
class _Listener:
    """`news` is the newest ETag that it has not been told, None where it has been told everything."""

    visitor: Visitor
    news: bytes | None = None
    over: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)


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
        leaving = asyncio.ensure_future(gone(receive))
        try:
            await begin(send)
            await say(send, b"retry: 2000\n\n")
            await self._speak(listener, leaving, send)
        except OSError:
            return
        finally:
            leaving.cancel()
            self._listeners.pop(listener, None)

    async def publish(self, environment: str, snapshot: Snapshot) -> None:
        self._newest[environment] = snapshot
        for each in self._listeners:
            if each.visitor.environment == environment:
                each.news = snapshot.etag
                each.woken.set()

    async def dismiss(self, is_valid: Callable[[str], bool], refusal: Answer) -> None:
        """They come back with the same address, and get `refusal` then."""
        del refusal
        for each in self._listeners:
            if not is_valid(each.visitor.token_hash):
                each.over = True
                each.woken.set()

    def close(self) -> None:
        """Let everyone go, and take nobody from now on: the server is about to stop."""
        self._closed = True
        for each in self._listeners:
            each.over = True
            each.woken.set()

    def _admitted(self, visitor: Visitor) -> _Listener:
        if self._closed or len(self._listeners) >= MOST:
            raise problem(503, "there are too many open streams: poll, or try again later", (b"retry-after", b"30"))
        listener = _Listener(visitor)
        self._listeners[listener] = None
        return listener

    def _catch_up(self, listener: _Listener, heard: bytes | None) -> None:
        """Who was away is told at once if there was anything to hear."""
        newest = self._newest.get(listener.visitor.environment)
        if newest and heard and newest.is_newer_than(b'"' + heard + b'"'):
            listener.news = newest.etag
            listener.woken.set()

    async def _speak(self, listener: _Listener, leaving: "asyncio.Future[None]", send: Send) -> None:
        while not leaving.done():
            await woken(listener.woken, leaving, BREATH_SECONDS)
            if listener.over or leaving.done():
                await say(send, b"", more=False)
                return
            news, listener.news = listener.news, None
            await say(send, _event(news) if news else b": \n\n")


def _event(etag: bytes) -> bytes:
    told = msgspec.json.encode({"type": "refetchEvaluation", "etag": etag.decode()})
    return b"id: " + etag.strip(b'"') + b"\nevent: message\ndata: " + told + b"\n\n"
