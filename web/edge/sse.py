"""How does a stream of events begin, wait and end? `text/event-stream`, as browsers read it."""

import asyncio
from typing import Any, Protocol

from web.edge.http import Receive, Send

BREATH_SECONDS = 15.0  # of silence; proxies close what is silent for long
_HEAD = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies must pass each event on
)
_HELLO = b"retry: 2000\n\n"
_BREATH = b": \n\n"


class Listener(Protocol):
    """Whoever is told something. `bell` rings when there is something to be said, or nothing more."""

    @property
    def bell(self) -> asyncio.Event: ...

    async def words(self) -> bytes | None:
        """What it has not been told yet, empty where there is nothing; None when it is told nothing more."""


async def tell(listener: Listener, receive: Receive, send: Send, *, hello: bytes = b"", farewell: bytes = b"") -> None:
    """Until the client leaves, or there is nothing more to say. Asks for words each time that the bell rings, and in
    silence before each breath.
    """
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        await _say(send, _HELLO + hello)
        while not leaving.done():
            await _woken(listener.bell, leaving)
            words = None if leaving.done() else await listener.words()
            await _say(send, farewell if words is None else words or _BREATH, more=words is not None)
            if words is None:
                return
    except OSError:
        return
    finally:
        leaving.cancel()


async def _say(send: Send, words: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": words, "more_body": more})


async def _gone(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _woken(bell: asyncio.Event, leaving: "asyncio.Future[None]") -> None:
    """Until the bell rings, the client leaves or it is time for a breath."""
    ringing = asyncio.ensure_future(bell.wait())
    both: set[asyncio.Future[Any]] = {ringing, leaving}
    await asyncio.wait(both, timeout=BREATH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    ringing.cancel()
    bell.clear()
