"""How did the calls of the last seconds go? Counted in a few sub-windows, so the memory is fixed."""

from collections import deque
from typing import NamedTuple


class Totals(NamedTuple):
    """Calls of a window. The slow ones are among `ok` and `failed`."""

    ok: int = 0
    failed: int = 0
    slow: int = 0

    @property
    def calls(self) -> int:
        return self.ok + self.failed

    @property
    def failure_rate(self) -> float:
        return self.failed / self.calls if self.calls else 0.0

    @property
    def slow_rate(self) -> float:
        return self.slow / self.calls if self.calls else 0.0


class SubWindow:
    """One part of a window. It takes calls until `end_ns`."""

    __slots__ = ("end_ns", "failed", "ok", "slow")

    def __init__(self, end_ns: int) -> None:
        self.end_ns = end_ns
        self.ok = 0
        self.failed = 0
        self.slow = 0


class Window:
    """Counts of the last `seconds`. Everything but `current.ok += 1` is for the holder of a lock.

    That one increment holds no call, so the interpreter runs it whole; where it does not, or where it meets a
    turn in another thread, a success is forgotten, which a rate over 20 calls and more can bear.
    """

    __slots__ = ("_all", "_horizon_ns", "_retired_ok", "_width_ns", "current")

    def __init__(self, seconds: float, parts: int) -> None:
        self._width_ns = int(seconds * 1e9) // parts
        self._horizon_ns = self._width_ns * (parts - 1)
        self._all: deque[SubWindow] = deque(maxlen=parts)
        self._retired_ok = 0
        self.current = SubWindow(0)  # over before it began: the first call turns

    @property
    def ok_ever(self) -> int:
        """Successes since the window was made; for telling whether there was one in between."""
        return self._retired_ok + self.current.ok

    def turn(self, now_ns: int) -> SubWindow:
        """The sub-window that takes calls at `now_ns`."""
        current = self.current
        if now_ns >= current.end_ns:
            self._retired_ok += current.ok
            self.current = current = SubWindow(now_ns + self._width_ns)
            self._all.append(current)
        return current

    def totals(self, now_ns: int) -> Totals:
        ok = failed = slow = 0
        oldest = now_ns - self._horizon_ns
        for part in self._all:
            if part.end_ns > oldest:
                ok += part.ok
                failed += part.failed
                slow += part.slow
        return Totals(ok, failed, slow)
