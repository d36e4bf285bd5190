"""Tails: which of the keys are slow, by what the baseline was before; and how strongly that speaks against a candidate.

Edges come from the history before a bucket: an edge chosen from the bucket itself would fit it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controlplane.domain import evidence, histogram
from controlplane.domain.bucket import Stratum
from controlplane.domain.evidence import Pair, Wealth
from controlplane.domain.histogram import Histogram

LATENCY_QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
# One pause of a process slows many keys at once. A capped win is still a fair bet, and a slowness must last two or
# three buckets before it rolls anything back.
LARGEST_LATENCY_WIN = math.log(20.0)
# Below it a wrapper more or a colder cache is a fifth, and nobody waits for it: keys within 1 ms are equally fast.
FINEST_EDGE = histogram.index_of(1.0)
HISTORY_CAP = 2_000_000  # keys: beyond it the baseline's history is halved, so that it follows the day


@dataclass(frozen=True, slots=True)
class Tails:
    """By the name of a quantile: the wealth of the bets beyond it, and the slow keys of baseline and candidate.

    `history` is what the baseline's keys have shown, in which the quantiles are found.
    """

    latency: Mapping[str, Wealth]
    slow: Mapping[str, tuple[int, int]]
    history: Histogram


def compared(seen: Tails, strata: Sequence[Stratum], design_effect: float) -> Tails:
    """After one more bucket. The tolerance is in the counts already: services lower the candidate's rises by it before
    they remember a key, so that one memory serves both sides.
    """
    latency, slow = dict(seen.latency), dict(seen.slow)
    for (name, largest), edge in zip(_BETS, edges_beyond(seen.history, _TAILS), strict=True):
        if edge is None:
            continue
        pairs = [_slow_pair(stratum, edge) for stratum in strata]
        factors = evidence.comparison_factors(
            pairs, ratio=1.0, margin=0.0, largest_bet=largest, design_effect=design_effect
        )
        capped = [min(factor, LARGEST_LATENCY_WIN) for factor in factors]
        latency[name] = evidence.staked(latency.get(name, _NOTHING), capped)
        before = slow.get(name, (0, 0))
        slow[name] = (
            before[0] + sum([pair.baseline_bad for pair in pairs]),
            before[1] + sum([pair.candidate_bad for pair in pairs]),
        )
    return Tails(latency, slow, _grown(seen.history, strata))


def edges_beyond(history: Histogram, tails: Sequence[float]) -> list[int | None]:
    """For each tail the edge that tells slow from fast, by what was seen before; None where nothing was."""
    edges = histogram.edges_for_tails(history, tails)
    return [None if edge is None else max(edge, FINEST_EDGE) for edge in edges]


def _slow_pair(stratum: Stratum, edge: int) -> Pair:
    candidate, baseline = stratum.candidate, stratum.baseline
    return Pair(candidate.keys, baseline.keys, candidate.newly_slower(edge), baseline.newly_slower(edge))


def _grown(history: Histogram, strata: Sequence[Stratum]) -> Histogram:
    grown = histogram.merge([history, *(each.baseline.key_latency for each in strata)])
    if histogram.size(grown) <= HISTORY_CAP:
        return grown
    return {index: count // 2 for index, count in grown.items() if count > 1}


def quantile_of(name: str) -> float:
    """`p99` → 0.99, `p999` → 0.999, `p50` → 0.5."""
    digits = name.removeprefix("p")
    return float(int(digits) / 10 ** len(digits))


def quantile_name(quantile: float) -> str:
    """0.99 → `p99`, 0.999 → `p999`, 0.5 → `p50`."""
    digits = f"{quantile:.6f}".removeprefix("0.").rstrip("0")
    return "p" + digits.ljust(2, "0")


_NOTHING = Wealth()
_TAILS = [1 - quantile for quantile in LATENCY_QUANTILES]
_BETS = [(quantile_name(each), max(2.0, 1 / (1 - each))) for each in LATENCY_QUANTILES]  # name, largest bet
