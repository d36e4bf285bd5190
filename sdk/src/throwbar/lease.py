"""How does a call hold its place at a worker, and wait for it? One `with` block, for threads and for coroutines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from throwbar.clock import monotonic
from throwbar.deadline import remaining
from throwbar.errors import ThrowbarError
from throwbar.seats import Assignment
from throwbar.taxonomy import BY_CATEGORY, Category
from throwbar.turns import Waiter

if TYPE_CHECKING:
    import asyncio


class WorkerBusy(ThrowbarError):
    """The session's worker does as many calls as it can, and no turn came in time. Nothing was sent to it."""

    error_info = BY_CATEGORY[Category.THROTTLED]._replace(because="every turn of the session's worker is taken")

    def __init__(self, worker: str) -> None:
        super().__init__(f"worker {worker!r} is busy")
        self.worker = worker


class Host(Protocol):
    """Who assigns workers and grants turns."""

    def assign(self, session: str) -> Assignment: ...

    def try_turn(self, session: str, assignment: Assignment, waiter: Waiter) -> Assignment | None: ...

    def stop_waiting(self, waiter: Waiter) -> bool: ...

    def give_turn_back(self, worker: str, *, well: bool) -> None: ...


class Lease:
    """Good for one block. Its value is the Assignment that holds for this call."""

    __slots__ = ("_host", "_session", "_timeout", "_worker")

    def __init__(self, host: Host, session: str, timeout: float | None) -> None:
        self._host = host
        self._session = session
        self._timeout = timeout

    def __enter__(self) -> Assignment:
        left = self._patience()
        while True:
            assignment = self._host.assign(self._session)
            heard = threading.Event()
            waiter = Waiter(assignment.worker, lambda heard=heard: _set(heard))  # type: ignore[misc]
            held = self._host.try_turn(self._session, assignment, waiter)
            if held is None:
                held = self._wait(assignment, waiter, heard, left())
            if held is not None:
                self._worker = held.worker
                return held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._host.give_turn_back(self._worker, well=error is None)

    async def __aenter__(self) -> Assignment:
        import asyncio  # noqa: PLC0415 - whoever gets here has it loaded; others should not pay for it

        left = self._patience()
        loop = asyncio.get_running_loop()
        while True:
            assignment = self._host.assign(self._session)
            heard = loop.create_future()
            waiter = Waiter(assignment.worker, lambda heard=heard: _wake(loop, heard))  # type: ignore[misc]
            held = self._host.try_turn(self._session, assignment, waiter)
            if held is None:
                held = await self._wait_in_loop(assignment, waiter, heard, left())
            if held is not None:
                self._worker = held.worker
                return held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _wait(
        self, assignment: Assignment, waiter: Waiter, heard: threading.Event, seconds: float | None
    ) -> Assignment | None:
        """None: the worker died meanwhile. Raises WorkerBusy."""
        try:
            in_time = heard.wait(seconds)
        except BaseException:  # a signal handler raised
            self._leave_queue(waiter)
            raise
        return self._after_waiting(assignment, waiter, in_time=in_time)

    async def _wait_in_loop(
        self, assignment: Assignment, waiter: Waiter, heard: asyncio.Future[None], seconds: float | None
    ) -> Assignment | None:
        import asyncio  # noqa: PLC0415 - as above

        try:
            done, _ = await asyncio.wait((heard,), timeout=seconds)
        except BaseException:  # cancelled
            self._leave_queue(waiter)
            raise
        return self._after_waiting(assignment, waiter, in_time=bool(done))

    def _after_waiting(self, assignment: Assignment, waiter: Waiter, *, in_time: bool) -> Assignment | None:
        if self._host.stop_waiting(waiter):
            return assignment
        if in_time:
            return None
        raise WorkerBusy(assignment.worker)

    def _leave_queue(self, waiter: Waiter) -> None:
        if self._host.stop_waiting(waiter):
            self._host.give_turn_back(waiter.worker, well=False)

    def _patience(self) -> Callable[[], float | None]:
        """How many seconds are left, asked now and again; None for ever."""
        limits = [limit for limit in (self._timeout, remaining()) if limit is not None]
        if not limits:
            return lambda: None
        end = monotonic() + min(limits)
        return lambda: max(end - monotonic(), 0.0)


def _set(heard: threading.Event) -> bool:
    heard.set()
    return True


def _wake(loop: asyncio.AbstractEventLoop, heard: asyncio.Future[None]) -> bool:
    """False when nobody is left to hear it."""
    try:
        loop.call_soon_threadsafe(_resolve, heard)
    except RuntimeError:  # the loop was closed with the call in it
        return False
    return True


def _resolve(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)
