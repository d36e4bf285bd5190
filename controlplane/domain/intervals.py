"""Intervals: how large a rate, or a ratio of two rates, may be. Valid however often they are looked at.

Each is the set of values that a bet has not yet made incredible: {v : M(v) < 1/α}, where M(v) is the wealth of a
bettor against v (Robbins, 1970; Howard, Ramdas, McAuliffe & Sekhon, Time-uniform confidence sequences, 2021). The bet
is the beta-binomial mixture, with Jeffreys' prior a = b = ½, in closed form. For x of n,

    ln M(p) = ln B(a + x, b + n − x) − ln B(a, b) − x ln p − (n − x) ln(1 − p)

and by Ville's inequality the true p, if it is one, lies outside at any time with a probability of at most α.

The ratio r of two rates needs only the bad keys: given one, it is the candidate's with probability
θ(r) = ρr / (ρr + 1 − ρ), where ρ is the candidate's part of the keys (Lindon & Malek, 2022). Rates may drift; each
share is a stratum of its own, and ln M(r) is the sum over them.

The design effect divides the counts: as many as are worth one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane.domain.evidence import DESIGN_EFFECT, Pair

_PRIOR = 0.5
_FAR = 25.0  # ln of the largest ratio, and of the odds of the smallest rate, that is looked at
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`; `high` is infinite where nothing speaks against any large value."""

    low: float
    high: float


def rate_interval(bad: int, units: int, *, confidence: float = 0.99, design_effect: float = DESIGN_EFFECT) -> Interval:
    """Where the rate of bad units lies; 0 … 1 before the first."""
    if not units:
        return Interval(0.0, 1.0)
    worth, good = bad / design_effect, (units - bad) / design_effect
    centre = math.log((worth + _PRIOR) / (good + _PRIOR))
    low, high = _crossings(lambda at: _log_wealth(worth, good, at), centre, confidence)
    return Interval(_sigmoid(low) if bad else 0.0, _sigmoid(high) if bad < units else 1.0)


def ratio_interval(
    strata: Sequence[Pair], *, confidence: float = 0.99, design_effect: float = DESIGN_EFFECT
) -> Interval:
    """Where the candidate's rate divided by the baseline's lies; 0 … infinity while nothing failed."""
    known = [each for each in strata if each.candidate and each.baseline and each.candidate_bad + each.baseline_bad]
    if not known:
        return Interval(0.0, math.inf)
    worth = [(each.candidate_bad / design_effect, each.baseline_bad / design_effect) for each in known]
    offsets = [math.log(each.candidate / each.baseline) for each in known]

    def wealth(at: float) -> float:
        return sum(_log_wealth(ours, theirs, at + off) for (ours, theirs), off in zip(worth, offsets, strict=True))

    low, high = _crossings(wealth, _lowest(wealth), confidence)
    ours, theirs = (sum(column) for column in zip(*worth, strict=True))
    return Interval(math.exp(low) if ours else 0.0, math.exp(high) if theirs else math.inf)


def _log_wealth(bad: float, good: float, log_odds: float) -> float:
    """ln M where the rate has these odds: −ln p = ln(1 + e^−o), −ln(1 − p) = ln(1 + e^o)."""
    return (
        _log_beta(_PRIOR + bad, _PRIOR + good)
        - _log_beta(_PRIOR, _PRIOR)
        + bad * _log1p_exp(-log_odds)
        + good * _log1p_exp(log_odds)
    )


def _crossings(wealth: Callable[[float], float], centre: float, confidence: float) -> tuple[float, float]:
    """Where a convex curve, lowest at about `centre`, comes to ln 1/α on both sides."""
    needed = -math.log(1 - confidence)
    return _between(wealth, centre, -_FAR, needed), _between(wealth, centre, _FAR, needed)


def _between(wealth: Callable[[float], float], inside: float, outside: float, needed: float) -> float:
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if wealth(middle) < needed:
            inside = middle
        else:
            outside = middle
    return outside  # the wider of the two: never too sure


def _lowest(wealth: Callable[[float], float]) -> float:
    """The bottom of a convex curve, by thirds."""
    low, high = -_FAR, _FAR
    for _ in range(_HALVINGS):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if wealth(left) < wealth(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log1p_exp(value: float) -> float:
    return value + math.log1p(math.exp(-value)) if value > 0 else math.log1p(math.exp(value))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > 0 else math.exp(value) / (1 + math.exp(value))
