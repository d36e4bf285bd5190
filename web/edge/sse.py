"""How does a stream of events begin, wait and end? `text/event-stream`, as browsers read it."""

import asyncio
from typing import Any

from web.edge.http import Receive, Send

_HEAD = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies must pass each event on
)


async def begin(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEAD})


async def say(send: Send, words: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": words, "more_body": more})


async def gone(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def woken(bell: asyncio.Event, leaving: "asyncio.Future[None]", seconds: float) -> None:
    """Until the bell rings, the client leaves or the time is over; proxies close what is silent for long."""
    ringing = asyncio.ensure_future(bell.wait())
    both: set[asyncio.Future[Any]] = {ringing, leaving}
    await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    ringing.cancel()
    bell.clear()
