"""Rates: how often each side failed, how far that is from certain, and how the two compare."""

import math
from dataclasses import dataclass

from controlplane.domain.evidence import Pair
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.intervals import Interval, rate_interval, ratio_interval
from controlplane.domain.observation import Evidence, design_effect_of


@dataclass(frozen=True, slots=True)
class Rates:
    """Bad keys by keys, which count once in every bucket, with their intervals; None where there were no keys.

    `ratio` is the candidate's rate divided by the baseline's. Each interval holds with `confidence`, at any time.
    """

    confidence: float
    baseline: float | None
    baseline_interval: Interval
    candidate: float | None
    candidate_interval: Interval
    ratio: Interval


def rates_of(seen: Evidence, guardrails: Guardrails) -> Rates:
    """The rates of an attempt; as sure as the guardrails want to be of a rollback."""
    effect = design_effect_of(seen, guardrails)
    confidence = 1 - guardrails.compare.alpha if guardrails.compare else 0.99
    pairs = _pairs(seen)
    ours = (sum(each.candidate_bad for each in pairs), sum(each.candidate for each in pairs))
    theirs = (sum(each.baseline_bad for each in pairs), sum(each.baseline for each in pairs))
    return Rates(
        confidence,
        _rate(*theirs),
        rate_interval(*theirs, confidence=confidence, design_effect=effect),
        _rate(*ours),
        rate_interval(*ours, confidence=confidence, design_effect=effect),
        ratio_interval(pairs, confidence=confidence, design_effect=effect),
    )


def _pairs(seen: Evidence) -> list[Pair]:
    return [
        Pair(each.candidate.keys, each.baseline.keys, each.candidate.bad, each.baseline.bad)
        for each in seen.assignments.values()
    ]


def _rate(bad: int, keys: int) -> float | None:
    return bad / keys if keys else None


def at_least(seen: Evidence, guardrails: Guardrails) -> str | None:
    """As in "at least 4.2 times as often (99 %)"; None where the two rates may be as good as equal."""
    confidence = 1 - guardrails.compare.alpha if guardrails.compare else 0.99
    ratio = ratio_interval(_pairs(seen), confidence=confidence, design_effect=design_effect_of(seen, guardrails))
    low = _down(ratio.low)
    return f"at least {low:g} times as often ({confidence * 100:g}\u202f%)" if low > 1 else None


def _down(value: float) -> float:
    """Never rounded up: what is claimed is a lower bound."""
    step = 10 if value < 10 else 1
    return math.floor(value * step) / step
