"""Routing: how services call the two backends of an operation. Only fields that somebody wrote are here; what is
absent is the code's own setting, or the SDK's default.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

SHADOW_CALL = "shadow"  # `assigned_by` of a call nobody waits for: kept out of every verdict, window and limit
TOLD_AS_METRICS = "unknown"  # `assigned_by` of calls told without keys: counted in limits, never compared
DEFAULT_SHADOW_SHARE = 1_000  # 1 %


class Mode(StrEnum):
    """What else happens to a call: nothing, a copy to the other side, both sides written, or the baseline twice."""

    SINGLE = "single"
    SHADOW = "shadow"
    DUAL_WRITE = "dual_write"
    AA = "aa"

    @property
    def samples(self) -> bool:
        """Whether only a share of the keys is called twice."""
        return self in {Mode.SHADOW, Mode.AA}


class CallKind(StrEnum):
    """Whether calls of an operation change what is stored. A plan that moves data treats the two differently."""

    READ = "read"
    WRITE = "write"


class BreakerMode(StrEnum):
    """Who decides: the calls, or somebody. `METRICS_ONLY` lets all through and says when it would have opened."""

    AUTO = "auto"
    FORCED_OPEN = "forced_open"
    FORCED_CLOSED = "forced_closed"
    METRICS_ONLY = "metrics_only"


@dataclass(frozen=True, slots=True)
class Breaker:
    """When calls to a backend are stopped, and for how long. Rates are fractions, times seconds; None: not written.

    `consecutive` hard failures in a row open it at once; `min_calls` within the window gate the two rates.
    """

    mode: BreakerMode | None = None
    failure_rate: float | None = None
    slow_rate: float | None = None
    slow_seconds: float | None = None
    min_calls: int | None = None
    consecutive: int | None = None
    window_seconds: float | None = None
    open_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is tried, the first time included, and the pauses in between, in seconds."""

    attempts: int | None = None
    base_seconds: float | None = None
    cap_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """Which features of the router a flag allows; each is a brake that needs no deployment."""

    affinity: bool = True
    breaker: bool = True
    retry: bool = True
    fallback: bool = True
    shadow: bool = True

    @property
    def off(self) -> tuple[str, ...]:
        return tuple(each.name for each in fields(self) if not getattr(self, each.name))


def written(settings: Breaker | Retry) -> dict[str, Any]:
    """Field → value of what was written, as JSON holds it."""
    values = (
        (name, getattr(settings, name)) for name in settings.__slots__
    )  # `fields` takes a third of a list of flags
    return {name: getattr(value, "value", value) for name, value in values if value is not None}
