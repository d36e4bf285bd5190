"""Forecast: how long does a share need to see a regression? What a plan is judged by before anybody is exposed to it.

A failed key of the candidate is worth h to the best bet, on average, so evidence needs about

    n ≈ (ln(1/α) + ln(series) + 1.9) / h   keys of the candidate,   h = max over bets of E[ln e] / n_c

h is the kernel's own growth at the expected counts, so tolerance and design effect are in it. With m = 1, δ = 0, D = 1
and r = p_candidate / p_baseline it is the textbook rate p_c ln r − (p_c + p_b (1 − ρ)/ρ) ln(1 + ρ(r − 1)). The 1.9 pays
for betting on nine ratios and on a late begin; it was fitted to simulated medians (make bench ARGS="health forecasts").
"""

from dataclasses import dataclass

from controlplane.domain import stakes
from controlplane.domain.evidence import BETS, DESIGN_EFFECT, Pair, comparison_factor
from controlplane.domain.guardrails import Compare
from controlplane.domain.health import LEAST_BAD_KEYS
from controlplane.domain.share import FULL

MIXTURE = 1.9  # ln: what not knowing the ratio and the onset costs
TAIL = 2.2  # p95 of the detection time, in medians
SHARES = tuple(percent * FULL // 100 for percent in (1, 2, 5, 10, 20, 50))  # what may be proposed instead
_SCALE = 10**12  # expected counts are whole numbers of this many keys


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an operation lives through now: keys per second over both sides, and the part of them that fails."""

    keys_per_second: float
    failure_rate: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Keys of the candidate, and seconds, until half of the rollouts (`median`) or 95 % of them have seen it."""

    candidate_keys: float
    median_seconds: float
    p95_seconds: float


def forecast(
    traffic: Traffic,
    share: int,
    compare: Compare,
    *,
    times: float = 2.0,
    design_effect: float = DESIGN_EFFECT,
    operations: int = 1,
) -> Forecast | None:
    """When a failure rate that is `times` the present one is seen. None: never, it is tolerated or not compared.

    For keys that are new or have not failed before: one that has failed in the attempt does not count again.
    `operations` share the attempt's α, each with an error and a latency series.
    """
    if not 0 < share < FULL or traffic.keys_per_second <= 0:
        return None
    worse = min(1.0, traffic.failure_rate * times)
    growth = _growth(traffic.failure_rate, worse, share / FULL, compare) / design_effect
    if growth <= 0:
        return None
    needed = stakes.log_needed(compare.alpha, stakes.COMPARISON, 2 * operations) + MIXTURE
    keys = max(needed / growth, LEAST_BAD_KEYS / worse)
    seconds = keys / (traffic.keys_per_second * share / FULL)
    return Forecast(keys, seconds, TAIL * seconds)


def smallest_share(
    traffic: Traffic,
    seconds: float,
    compare: Compare,
    *,
    times: float = 2.0,
    design_effect: float = DESIGN_EFFECT,
    operations: int = 1,
) -> int | None:
    """The smallest of `SHARES` that sees it within `seconds` in half of the rollouts; None where none does."""
    for share in SHARES:
        seen = forecast(traffic, share, compare, times=times, design_effect=design_effect, operations=operations)
        if seen and seen.median_seconds <= seconds:
            return share
    return None


def _growth(baseline_rate: float, candidate_rate: float, share: float, compare: Compare) -> float:
    """ln of what the best bet wins on each key of the candidate, on average; D = 1."""
    candidate = _SCALE * share
    expected = Pair(
        round(candidate),
        round(_SCALE - candidate),
        round(candidate * candidate_rate),
        round((_SCALE - candidate) * baseline_rate),
    )
    ratio, margin = compare.error_rate_ratio, compare.error_rate_margin
    return max(comparison_factor(expected, bet, ratio, margin) for bet in BETS) / candidate
