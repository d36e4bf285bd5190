"""Who is waiting for a newer snapshot? One broadcaster answers all of them; no timer and no wake-up per client."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass
from typing import Any

from web.edge.http import Answer, Receive, Send, reply
from web.edge.snapshots import Snapshot

SWEEP_SECONDS = 0.25
_AT_ONCE = 100  # answers written before other requests get their turn


@dataclass(slots=True, eq=False)
class Waiter:
    """A hanging GET. `deadline` is in the event loop's time; `unchanged` is what it gets then."""

    send: Send
    environment: str
    token_hash: str
    held: bytes
    accepts_gzip: bool
    deadline: float
    unchanged: Answer


class WaitingRoom:
    """All hanging GETs of this process."""

    def __init__(self) -> None:
        self._waiting: dict[Waiter, None] = {}
        self._slow: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, waiter: Waiter, receive: Receive) -> None:
        """Until the waiter was answered, or its client went away: servers tell both as a disconnect."""
        if self._closed:
            await reply(waiter.send, waiter.unchanged)
            return
        self._waiting[waiter] = None
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._waiting.pop(waiter, None)

    async def publish(self, environment: str, snapshot: Snapshot) -> None:
        """Send the snapshot to everyone it is news to."""
        await self._answer(
            (each, snapshot.answer(accepts_gzip=each.accepts_gzip))
            for each in list(self._waiting)
            if each.environment == environment and snapshot.is_newer_than(each.held)
        )

    async def dismiss(self, is_valid: Callable[[str], bool], refusal: Answer) -> None:
        """Show out everyone whose token is no longer valid."""
        hashes = {each.token_hash for each in self._waiting}
        revoked = {each for each in hashes if not is_valid(each)}
        await self._answer((each, refusal) for each in list(self._waiting) if each.token_hash in revoked)

    async def sweep(self) -> None:
        """Forever: answer those whose time is over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = loop.time()
            await self._answer((each, each.unchanged) for each in list(self._waiting) if each.deadline <= now)

    async def close(self) -> None:
        """Let everyone go, and keep nobody from now on: the server is about to stop."""
        self._closed = True
        await self._answer((each, each.unchanged) for each in list(self._waiting))

    async def _answer(self, answers: Iterable[tuple[Waiter, Answer]]) -> None:
        for number, (waiter, answer) in enumerate(answers, start=1):
            if waiter in self._waiting:
                del self._waiting[waiter]
                self._begin(reply(waiter.send, answer))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _begin(self, sending: Coroutine[Any, Any, None]) -> None:
        """Write at once what can be written at once. A client that stopped reading gets a task of its own and holds
        nobody up; its connection is dropped by the kernel (see `TCP_USER_TIMEOUT` where the socket is opened).
        """
        try:
            blocked_on = sending.send(None)
        except StopIteration:
            return
        except OSError:  # gone while it was answered
            return
        rest = asyncio.get_running_loop().create_task(_finish(_Rest(sending, blocked_on)))
        self._slow.add(rest)
        rest.add_done_callback(self._slow.discard)


class _Rest:
    """A coroutine that was begun by hand, as something a task can await."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], blocked_on: Any) -> None:  # noqa: ANN401 - a future
        self._coroutine = coroutine
        self._blocked_on = blocked_on

    def __await__(self) -> Generator[Any, Any, None]:
        yield self._blocked_on
        yield from self._coroutine.__await__()


async def _finish(rest: _Rest) -> None:
    try:
        await rest
    except OSError:  # gone at last
        return
