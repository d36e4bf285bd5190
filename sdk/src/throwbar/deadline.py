"""How much time is left for the call that is running? One deadline spans its attempts, pauses and fallback."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Self

from throwbar.clock import perf_clock_ns
from throwbar.errors import ThrowbarError

RESERVE = 0.2
LEAST_RESERVE_NS = 50_000_000

_current: ContextVar[Deadline | None] = ContextVar("throwbar_deadline", default=None)


class DeadlineExceeded(ThrowbarError, TimeoutError):
    """No time was left to start another attempt. A `TimeoutError`, so that callers who expect those catch it."""


def remaining() -> float | None:
    """Seconds left for the routed call around us, 0.0 when there are none; None when it has no deadline.

    Made to be passed on: `session.get(url, timeout=throwbar.remaining())`.
    """
    deadline = _current.get()
    return None if deadline is None else deadline.remaining()


def forget_deadline() -> None:
    """From here on this context has no deadline: what runs in it is not what the caller waits for."""
    _current.set(None)


class Deadline:
    """A `with` block around one logical call, `limit_ns` from `now_ns` on. In another one the nearer end holds.

    While `reserving`, part of the time is kept back for the fallback: 20 %, at least 50 ms, at most half.
    """

    __slots__ = ("_clock_ns", "_end_ns", "_now_ns", "_reserving", "_token")

    def __init__(
        self, limit_ns: int, now_ns: int, *, reserving: bool = False, clock_ns: Callable[[], int] = perf_clock_ns
    ) -> None:
        outer = _current.get()
        if outer is not None:
            limit_ns = min(limit_ns, outer.remaining_ns())
        self._clock_ns = clock_ns
        self._now_ns = now_ns
        self._end_ns = now_ns + limit_ns
        self._reserving = reserving

    def __enter__(self) -> Self:
        self._token: Token[Deadline | None] = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        try:  # noqa: SIM105 - suppress() costs more than everything else here
            _current.reset(self._token)
        except ValueError:
            pass  # an abandoned coroutine is closed wherever the garbage collector finds it; its context is gone

    def release_reserve(self) -> None:
        """The fallback begins: it may have all the time that is left."""
        self._reserving = False

    def remaining(self) -> float:
        """Seconds, never below 0.0: client libraries take a negative timeout for none, or for a mistake."""
        return max(self.remaining_ns(), 0) / 1e9

    def remaining_ns(self) -> int:
        """Below 0 when overdue."""
        left_ns = self._end_ns - self._clock_ns()
        return left_ns - reserve_ns(self._end_ns - self._now_ns) if self._reserving else left_ns


def reserve_ns(limit_ns: int) -> int:
    """What the fallback is sure to have of a call's time."""
    # With a deadline of 60 ms the 50 would leave the candidate no chance, hence the half.
    return max(min(max(int(limit_ns * RESERVE), LEAST_RESERVE_NS), limit_ns // 2), 0)
