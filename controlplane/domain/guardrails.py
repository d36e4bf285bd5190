"""Guardrails: the limits that a candidate may not cross, and what follows when it does."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from controlplane.domain.histogram import PER_DOUBLING

Overrides = Mapping[str, Any]  # field of Guardrails → value, where an operation differs from its flag


class OnBreach(StrEnum):
    """What an unhealthy finding does."""

    ROLLBACK = "rollback"
    HOLD = "hold"
    REPORT = "report"


class OnSilence(StrEnum):
    """What missing evidence does."""

    HOLD = "hold"
    ROLLBACK = "rollback"
    IGNORE = "ignore"


class Scope(StrEnum):
    """What the scheduler takes back: the whole flag, or the one operation that is unhealthy."""

    FLAG = "flag"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class Silence:
    """The three kinds of silence. None of them ever advances a rollout."""

    no_telemetry: OnSilence = OnSilence.HOLD
    too_few: OnSilence = OnSilence.HOLD
    one_side: OnSilence = OnSilence.HOLD


@dataclass(frozen=True, slots=True)
class Compare:
    """How much worse than the concurrent baseline is tolerated, and how sure one must be.

    A candidate within `error_rate_ratio` × baseline + `error_rate_margin`, and no slower than `latency_ratio` ×
    baseline, is rolled back with a probability of at most `alpha` over a whole attempt. `beta` is the probability of
    calling one no worse that is. `sample_ratio_alpha`: that of doubting an assignment that is right; None never doubts.
    """

    error_rate_ratio: float = 1.1
    error_rate_margin: float = 0.0005
    latency_ratio: float = 1.19
    alpha: float = 0.01
    beta: float = 0.05
    sample_ratio_alpha: float | None = 0.001

    @property
    def latency_tolerance(self) -> int:
        """How many histogram buckets slower is tolerated: the ratio rounded down to 2^(k/8).

        People write 1.09 and 1.41 for 2^(1/8) and 2^(4/8), hence the half percent.
        """
        return math.floor(math.log2(self.latency_ratio * 1.005) * PER_DOUBLING)


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The limits of a flag; an operation may override them field by field.

    `window_seconds` is the window of charts and plain thresholds; `min_samples` gates advancing, never a rollback.
    `design_effect` says how many failures come together, and so are worth one; None: as measured before the attempt.
    """

    window_seconds: int = 60
    min_samples: int = 200
    max_error_rate: float | None = None
    max_latency_ms: Mapping[str, float] = field(default_factory=dict)
    compare: Compare | None = Compare()
    on_breach: OnBreach = OnBreach.ROLLBACK
    on_silence: Silence = Silence()
    rollback_scope: Scope = Scope.FLAG
    design_effect: float | None = None

    @property
    def tests_something(self) -> bool:
        """Some limit or the comparison could find the candidate unhealthy."""
        return self.compare is not None or self.max_error_rate is not None or bool(self.max_latency_ms)

    def overridden(self, overrides: Overrides) -> "Guardrails":
        """These guardrails with some fields replaced; `compare` and `on_silence` field by field."""
        if not overrides:
            return self
        known = {each.name for each in fields(self)}
        changes: dict[str, Any] = {}
        for name, value in overrides.items():
            if name not in known:
                raise KeyError(name)
            changes[name] = _overlaid(getattr(self, name), value)
        return replace(self, **changes)


def _overlaid(current: Any, value: Any) -> Any:  # noqa: ANN401 - any field of Guardrails passes through
    if isinstance(current, Compare) and isinstance(value, Mapping):
        return replace(current, **value)
    if isinstance(current, Silence) and isinstance(value, Mapping):
        return replace(current, **value)
    if current is None and isinstance(value, Mapping):
        return Compare(**value)
    return value
