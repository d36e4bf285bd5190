"""Is it time to open? What one closed period has seen; its calls all hold the period itself as their permit."""

from __future__ import annotations

from throwbar.circuit import BreakerSettings, Cause, Result, Watch
from throwbar.window import Totals, Window


class ClosedPeriod:
    """From closing to opening. A call that outlives its period counts in a window that nobody reads any more."""

    __slots__ = ("_ok_at_streak", "_settings", "_streak", "_watch", "slow_bits", "slow_ns", "window")

    def __init__(self, watch: Watch, settings: BreakerSettings, slow_ns: int) -> None:
        self._watch = watch
        self._settings = settings
        self.slow_ns = slow_ns
        self.slow_bits = slow_ns.bit_length()  # a duration of fewer bits is not slow
        self.window = Window(settings.window_seconds, settings.sub_windows)
        self._streak = 0
        self._ok_at_streak = 0

    def succeeded(self, now_ns: int, duration_ns: int) -> None:
        # A fast success can open nothing, so it takes no lock. `Binding.close` and `plain_run` have these lines
        # once more, for speed.
        current = self.window.current
        if duration_ns < self.slow_ns and now_ns < current.end_ns:
            current.ok += 1
        else:
            self._watch.heard(self, now_ns, Result(failed=False, slow=duration_ns >= self.slow_ns, hard=False))

    def failed(self, now_ns: int, duration_ns: int, *, hard: bool) -> None:
        self._watch.heard(self, now_ns, Result(failed=True, slow=duration_ns >= self.slow_ns, hard=hard))

    def released(self) -> None:
        """Nothing was taken, so nothing comes back."""

    def totals(self, now_ns: int) -> Totals:
        return self.window.totals(now_ns)

    def add(self, now_ns: int, result: Result) -> Cause | None:
        """Count a call; the limit it crosses. For the holder of the breaker's lock."""
        current = self.window.turn(now_ns)
        current.slow += result.slow
        if not result.failed:
            current.ok += 1
            return self._limit_crossed(now_ns) if result.slow else None
        current.failed += 1
        self._lengthen_streak(hard=result.hard)
        if self._streak >= self._settings.hard_failures:
            return Cause.HARD_FAILURES
        return self._limit_crossed(now_ns)

    def _lengthen_streak(self, *, hard: bool) -> None:
        # Successes do not reset the streak, which would cost each of them; it is seen here that there were some.
        ok = self.window.ok_ever
        if ok != self._ok_at_streak:
            self._streak = 0
            self._ok_at_streak = ok
        self._streak = self._streak + 1 if hard else 0

    def _limit_crossed(self, now_ns: int) -> Cause | None:
        totals = self.window.totals(now_ns)
        if totals.calls < self._settings.min_calls:
            return None
        if totals.failure_rate >= self._settings.failure_rate:
            return Cause.FAILURE_RATE
        return Cause.SLOW_RATE if totals.slow_rate >= self._settings.slow_rate else None
