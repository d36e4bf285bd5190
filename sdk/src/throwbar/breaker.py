"""May this backend be called now? One breaker for each flag, operation and backend."""

from __future__ import annotations

import threading
from collections.abc import Callable

from throwbar.chance import chance
from throwbar.circuit import BreakerSettings, Cause, Mode, Permit, Result, State, Transition
from throwbar.clock import perf_clock_ns
from throwbar.closed import ClosedPeriod
from throwbar.half_open import HalfOpenPeriod, Probe
from throwbar.taxonomy import Category, ErrorInfo
from throwbar.window import Totals

_FOR_EVER_NS = 1 << 63
_HARD = frozenset({Category.CONNECTION, Category.TIMEOUT})


def _tell_nobody(_: Transition) -> None:
    return None


class Breaker:
    """Counts attempts, not logical calls. The same object serves threads and coroutines.

    A call asks `breaker.passing or breaker.acquire(now_ns)` and tells the permit how it ended; without a permit it
    must not start. Times are nanoseconds of one clock that never goes back. `deadline` is the operation's, in
    seconds. `on_transition` is called without any lock held, and must not raise.

    The lock is held for counting only, never while a backend is called. It is re-entrant because a signal handler
    or a finaliser may make a routed call in the middle of ours, in the same thread.
    """

    def __init__(
        self,
        settings: BreakerSettings = BreakerSettings(),  # noqa: B008 - immutable
        *,
        deadline: float | None = None,
        on_transition: Callable[[Transition], None] = _tell_nobody,
        clock_ns: Callable[[], int] = perf_clock_ns,
        chance: Callable[[], float] = chance,
    ) -> None:
        self.settings = settings
        self.mode = Mode.AUTOMATIC
        self.passing: ClosedPeriod | None = None  # the permit of every call while closed; the hot path reads it
        self.opens = 0
        self.generation = 0
        self.deadline = deadline
        self._on_transition = on_transition
        self._clock_ns = clock_ns
        self._chance = chance
        self._state = State.CLOSED
        self._until_ns = 0  # end of the open time
        self.renew()

    def renew(self) -> None:
        """A new process, or a new life: closed, with a lock that nobody holds. The mode stays."""
        self._lock = threading.RLock()
        self._news: list[Transition] = []
        self._half_open: HalfOpenPeriod | None = None
        self._opened_in_a_row = 0
        self._last = Totals()
        self._enter_mode(self._clock_ns())

    def acquire(self, now_ns: int) -> Permit | None:
        """A permit, or None: the call goes elsewhere."""
        passing = self.passing
        if passing is not None:
            return passing
        if self._state is State.OPEN and now_ns < self._until_ns:
            return None  # without the lock: this is where the crowd is
        with self._lock:
            permit = self._admit(now_ns)
            news = self._take_news()
        self._tell(news)
        return permit

    @property
    def would_refuse(self) -> bool:
        """Whether it is not closed, or would not be if it did more than measure."""
        return self.passing is None or (self.mode is Mode.METRICS_ONLY and self._clock_ns() < self._until_ns)

    def refuses(self, now_ns: int) -> bool:
        """Whether a call would go elsewhere now, without asking for a permit."""
        return self.passing is None and self._state is State.OPEN and now_ns < self._until_ns

    def heard(self, permit: Permit, now_ns: int, result: Result) -> None:
        """Called by permits. What an older generation has to say moves nothing."""
        with self._lock:
            if self.passing is not None:
                if self.passing is permit:
                    self._count(self.passing, now_ns, result)
            elif self._half_open is not None:
                self._decide(self._half_open, now_ns)  # first, so that no lease outlives its end
                if self._half_open is not None:
                    self._half_open.settle(permit, result)
                    self._decide(self._half_open, now_ns)
            news = self._take_news()
        self._tell(news)

    def freed(self, permit: Permit) -> None:
        """Called by permits."""
        with self._lock:
            if self._half_open is not None:
                self._half_open.free(permit)

    def set_mode(self, mode: Mode) -> None:
        """Take effect at once; whatever was under way counts nowhere. The same mode again changes nothing."""
        with self._lock:
            if mode is not self.mode:
                self.mode = mode
                self._opened_in_a_row = 0
                before, now_ns = self._state, self._clock_ns()
                self._enter_mode(now_ns)
                self._note(before, Cause.MODE, 0.0)
            news = self._take_news()
        self._tell(news)

    def set_settings(self, settings: BreakerSettings) -> None:
        """A closed breaker counts afresh under them; an open time or a half-open period is served as it began."""
        with self._lock:
            if settings != self.settings:
                self.settings = settings
                if self.passing is not None:
                    self.passing = self._period()

    def state_document(self) -> dict[str, object]:
        """For telemetry: `for_seconds` is the age of the state, the rates those that led to it or, closed, now's."""
        now_ns = self._clock_ns()
        with self._lock:
            totals = self._last if self.passing is None else self.passing.totals(now_ns)
            return {
                "state": str(self._state),
                "mode": str(self.mode),
                "for_seconds": round((now_ns - self._since_ns) / 1e9, 3),
                "failure_rate": round(totals.failure_rate, 4),
                "slow_rate": round(totals.slow_rate, 4),
                "calls": totals.calls,
                "opens": self.opens,
                "generation": self.generation,
            }

    def _admit(self, now_ns: int) -> Permit | None:
        if self._half_open is not None:
            self._decide(self._half_open, now_ns)
        if self.passing is not None:
            return self.passing
        if self._half_open is None:
            if now_ns < self._until_ns:
                return None
            self._half_open = HalfOpenPeriod(self.settings, self.settings.lease_ns(self.deadline), now_ns)
            self._enter(State.HALF_OPEN, now_ns, Cause.OPEN_TIME_OVER)
        probe = Probe(self, self.settings.slow_ns(self.deadline))
        return probe if self._half_open.admit(probe, now_ns) else None

    def _count(self, period: ClosedPeriod, now_ns: int, result: Result) -> None:
        cause = period.add(now_ns, result)
        if cause is None or self.mode is Mode.FORCED_CLOSED:
            return
        self._last = period.totals(now_ns)
        if self.mode is Mode.AUTOMATIC:
            if now_ns - self._since_ns >= self.settings.stable_seconds * 1e9:
                self._opened_in_a_row = 0
            self._open(now_ns, cause)
        elif now_ns >= self._until_ns:  # once an open time, or a dead backend would tell it with every call
            self.opens += 1
            self._until_ns = now_ns + int(self.settings.open_seconds * 1e9)
            self._note(State.CLOSED, cause, 0.0)

    def _decide(self, half_open: HalfOpenPeriod, now_ns: int) -> None:
        verdict = half_open.verdict(now_ns)
        if verdict is None:
            return
        self._last = half_open.found
        self._half_open = None
        if verdict:
            self._enter(State.CLOSED, now_ns, Cause.PROBES_PASSED)
            self.passing = self._period()
        else:
            self._open(now_ns, Cause.PROBES_FAILED)

    def _open(self, now_ns: int, cause: Cause) -> None:
        settings = self.settings
        seconds = min(settings.open_seconds * 2.0 ** min(self._opened_in_a_row, 60), settings.open_cap_seconds)
        seconds *= 1 + settings.open_jitter * (2 * self._chance() - 1)
        self.passing = None
        self.opens += 1
        self._opened_in_a_row += 1
        self._until_ns = now_ns + int(seconds * 1e9)
        self._enter(State.OPEN, now_ns, cause, seconds)

    def _enter_mode(self, now_ns: int) -> None:
        forced_open = self.mode is Mode.FORCED_OPEN
        self._half_open = None
        self._state = State.OPEN if forced_open else State.CLOSED
        self._since_ns = now_ns
        self._until_ns = _FOR_EVER_NS if forced_open else now_ns
        self.passing = None if forced_open else self._period()

    def _enter(self, state: State, now_ns: int, cause: Cause, open_seconds: float = 0.0) -> None:
        before, self._state = self._state, state
        self._since_ns = now_ns
        self._note(before, cause, open_seconds)

    def _note(self, before: State, cause: Cause, open_seconds: float) -> None:
        self.generation += 1
        rate = self._last.failure_rate
        self._news.append(Transition(before, self._state, cause, self.generation, rate, open_seconds))

    def _period(self) -> ClosedPeriod:
        return ClosedPeriod(self, self.settings, self.settings.slow_ns(self.deadline))

    def _take_news(self) -> list[Transition]:
        news = self._news
        if news:
            self._news = []
        return news

    def _tell(self, news: list[Transition]) -> None:
        for transition in news:
            self._on_transition(transition)


def tell(permit: Permit, error: ErrorInfo | None, now_ns: int, duration_ns: int) -> None:
    """How an attempt ended, in the words of the taxonomy; None is for well."""
    if error is None:
        permit.succeeded(now_ns, duration_ns)
    elif error.countable:
        permit.failed(now_ns, duration_ns, hard=error.category in _HARD)
    else:
        permit.released()
