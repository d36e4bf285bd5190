"""What can a breaker be told, and what does it tell?"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from throwbar.errors import ConfigurationError, ThrowbarError


class State(StrEnum):
    """Closed lets calls through, open refuses them, half-open lets a few through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Mode(StrEnum):
    """Who decides: the calls, or somebody. `METRICS_ONLY` lets all through and tells when it would have opened."""

    AUTOMATIC = "automatic"
    METRICS_ONLY = "metrics_only"
    FORCED_OPEN = "forced_open"
    FORCED_CLOSED = "forced_closed"


class Cause(StrEnum):
    """Why a breaker changed its state."""

    FAILURE_RATE = "failure_rate"
    SLOW_RATE = "slow_rate"
    HARD_FAILURES = "hard_failures"
    OPEN_TIME_OVER = "open_time_over"
    PROBES_PASSED = "probes_passed"
    PROBES_FAILED = "probes_failed"
    MODE = "mode"


class BreakerOpen(ThrowbarError):
    """The baseline's breaker, which was asked to act, keeps this call away. Nothing was sent."""


class BreakerSettings(NamedTuple):
    """When to open, for how long, and what must happen to close. Rates are fractions, times are in seconds.

    `slow_seconds` None means 80 % of the operation's deadline, or 1 s where it has none. A rate above 1 is never
    reached and so switches its rule off. The baseline's breaker only measures, as there is nowhere else to go, unless
    `baseline` is true: then calls of a baseline that fails raise `BreakerOpen` at once.
    """

    window_seconds: float = 30.0
    sub_windows: int = 10
    min_calls: int = 20
    failure_rate: float = 0.5
    slow_seconds: float | None = None
    slow_rate: float = 0.8
    hard_failures: int = 5
    open_seconds: float = 30.0
    open_cap_seconds: float = 300.0
    open_jitter: float = 0.2
    stable_seconds: float = 300.0
    probes_at_once: int = 3
    probe_results: int = 5
    probe_lease_seconds: float = 5.0
    half_open_seconds: float = 30.0
    baseline: bool = False

    def slow_ns(self, deadline: float | None) -> int:
        """From which duration on a call is slow."""
        slow = self.slow_seconds or (1.0 if deadline is None else 0.8 * deadline)
        return int(slow * 1e9)

    def lease_ns(self, deadline: float | None) -> int:
        """After which time a probe that has not come back is given up."""
        lease = self.half_open_seconds if deadline is None else deadline + self.probe_lease_seconds
        return int(min(lease, self.half_open_seconds) * 1e9)


def check(settings: BreakerSettings) -> BreakerSettings:
    """The same settings. Raises ConfigurationError for those under which a breaker could not work."""
    if not isinstance(settings.baseline, bool):
        raise ConfigurationError(f"breaker: baseline is {settings.baseline!r}, neither True nor False")
    for name, value in settings._replace(baseline=True)._asdict().items():
        least = 0 if name in ("open_jitter", "probe_lease_seconds", "stable_seconds") else None
        if value is not None and not (value > 0 if least is None else value >= least):
            raise ConfigurationError(
                f"breaker: {name} is {value!r}, not a {'positive ' if least is None else ''}number"
            )
    for name in ("sub_windows", "min_calls", "hard_failures", "probes_at_once", "probe_results"):
        if not isinstance(getattr(settings, name), int):
            raise ConfigurationError(f"breaker: {name} is {getattr(settings, name)!r}, not a whole number")
    if settings.open_jitter >= 1:
        raise ConfigurationError(f"breaker: open_jitter is {settings.open_jitter!r}, not below 1")
    return settings


class Result(NamedTuple):
    """How one watched call went. `hard`: the connection failed or time ran out."""

    failed: bool
    slow: bool
    hard: bool


class Transition(NamedTuple):
    """A change of state. `generation` grows with each, so it orders them where threads tell them in another order.

    From closed to closed it is the one that `METRICS_ONLY` held back. `open_seconds` is 0 unless it opens.
    """

    before: State
    after: State
    cause: Cause
    generation: int
    failure_rate: float
    open_seconds: float

    @property
    def event(self) -> str:
        """What happened, by the name that logs and traces know it by."""
        if self.after is State.OPEN:
            return "breaker_reopened" if self.before is State.HALF_OPEN else "breaker_opened"
        if self.before is self.after:
            return "breaker_would_open" if self.cause is not Cause.MODE else "breaker_mode"
        return "breaker_half_open" if self.after is State.HALF_OPEN else "breaker_closed"


class Permit(Protocol):
    """What a call holds from `acquire` to its end. Tell it one of three things, once; later words are ignored.

    One that has a `window` may instead count a success of less than `slow_ns` there, in its current part.
    """

    window: Any
    slow_ns: int

    def succeeded(self, now_ns: int, duration_ns: int) -> None: ...

    def failed(self, now_ns: int, duration_ns: int, *, hard: bool) -> None: ...

    def released(self) -> None:
        """The call says nothing about the backend: cancelled, the caller's fault, or never started."""


class Watch(Protocol):
    """Who listens to permits."""

    def heard(self, permit: Permit, now_ns: int, result: Result) -> None: ...

    def freed(self, permit: Permit) -> None: ...
