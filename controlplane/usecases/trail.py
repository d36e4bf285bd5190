"""Trail: the evidence of a flag over time against its line, as the scheduler knew it at each look."""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from controlplane.domain.evidence import SUSPICIOUS
from controlplane.domain.flag import Flag
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.intervals import Interval, rate_interval
from controlplane.domain.observation import Evidence, design_effect_of
from controlplane.domain.retention import Grain
from controlplane.domain.trail import Point
from controlplane.store import UnitOfWork
from controlplane.usecases.series import Uncertainty

# (from, to, seconds): points older than that become points of the coarser grain; after the last they are dropped.
THINNING = ((Grain.RAW, Grain.MINUTE, 2 * 3_600), (Grain.MINUTE, Grain.HOUR, 48 * 3_600))
KEPT_SECONDS = 31 * 86_400


def flag_course(points: Sequence[Point], flag: Flag) -> dict[str, Any]:
    """ln E of the flag at each point, and the lines it is held against."""
    compare = flag.guardrails.compare if flag.guardrails else None
    return {
        **_where(points),
        "overall": [point.overall for point in points],
        "log_limit": -math.log(compare.alpha) if compare else None,
        "log_suspicious": SUSPICIOUS,
    }


def operation_course(points: Sequence[Point], flag: Flag, name: str, seen: Evidence) -> dict[str, Any]:
    """ln E of one operation at each point, and both rates of the attempt so far, with their intervals."""
    marks = [point.marks.get(name) for point in points]
    limits = flag.guardrails_of(name)
    uncertainty = uncertainty_of(limits, seen)
    return {
        **_where(points),
        "errors": [mark and mark.errors for mark in marks],
        "latency": [mark and mark.latency for mark in marks],
        "log_limit": -math.log(limits.compare.alpha) if limits and limits.compare else None,
        "baseline": _rates([(m.baseline_bad, m.baseline_keys) if m else None for m in marks], uncertainty),
        "candidate": _rates([(m.candidate_bad, m.candidate_keys) if m else None for m in marks], uncertainty),
    }


def uncertainty_of(limits: Guardrails | None, seen: Evidence) -> Uncertainty:
    """Intervals as sure as the guardrails want to be, with as many failures together as were measured."""
    confidence = 1 - limits.compare.alpha if limits and limits.compare else 0.99
    effect = design_effect_of(seen, limits) if limits else seen.design_effect
    return lambda bad, units: _interval(bad, units, confidence, effect)


@lru_cache(maxsize=20_000)  # a page asks for the same points every few seconds
def _interval(bad: int, units: int, confidence: float, effect: float) -> Interval:
    return rate_interval(bad, units, confidence=confidence, design_effect=effect)


def _where(points: Sequence[Point]) -> dict[str, Any]:
    return {"times": [point.at for point in points], "attempts": [point.attempt for point in points]}


def _rates(counts: Sequence[tuple[int, int] | None], uncertainty: Uncertainty) -> dict[str, list[float | None]]:
    known = [each if each and each[1] else None for each in counts]
    ranges = [uncertainty(*each) if each else None for each in known]
    return {
        "rate": [each[0] / each[1] if each else None for each in known],
        "low": [each.low if each else None for each in ranges],
        "high": [each.high if each else None for each in ranges],
    }


def thin_trail(uow: UnitOfWork, environment_id: int, flag: str, now: datetime) -> None:
    """Old points of one flag become fewer, and the oldest go."""
    instant = int(now.timestamp())
    for fine, coarse, seconds in THINNING:
        uow.trails.thin(environment_id, flag, fine, coarse, instant - seconds)
    uow.trails.forget(environment_id, flag, instant - KEPT_SECONDS)
