"""How fast do simulated sides answer? Lognormal times in the histogram's own buckets, drawn as counts."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import log
from random import Random
from statistics import NormalDist

from bench.health.draws import poisson
from controlplane.domain.histogram import upper_edge_ms

MEDIAN_MS = 50.0
P99_MS = 320.0
_TIMES = NormalDist(log(MEDIAN_MS), log(P99_MS / MEDIAN_MS) / NormalDist().inv_cdf(0.99))
_KNEE = _TIMES.inv_cdf(0.95)
_LOWEST, _HIGHEST = -16, 130


@dataclass(frozen=True, slots=True)
class Speed:
    """`all` stretches every call, `tail` only those beyond the p95, which leaves the median and moves the p99."""

    all: float = 1.0
    tail: float = 1.0


BASELINE = Speed()
CHECKS_BEFORE = 60


@cache
def _means(speed: Speed, calls: float) -> tuple[tuple[int, float], ...]:
    found, before = [], 0.0
    for index in range(_LOWEST, _HIGHEST):
        upto = _below(upper_edge_ms(index), speed)
        if upto > before:
            found.append((index, calls * (upto - before)))
        before = upto
    return tuple(found)


def _below(milliseconds: float, speed: Speed) -> float:
    at = log(milliseconds / speed.all)
    if at <= _KNEE:
        return _TIMES.cdf(at)
    return max(_TIMES.cdf(_KNEE), _TIMES.cdf(at - log(speed.tail)))


def histogram_of(random: Random, speed: Speed, calls: float) -> dict[int, int]:
    """The calls of a Poisson stream, `calls` on average, by bucket; their number is the histogram's size."""
    drawn = ((index, poisson(random, mean)) for index, mean in _means(speed, calls))
    return {index: count for index, count in drawn if count}


def before(random: Random, calls: float) -> dict[int, int]:
    """Ten minutes of the baseline, `calls` a check: what is known of it when an attempt opens."""
    return histogram_of(random, BASELINE, CHECKS_BEFORE * calls)


def indexes(random: Random, speed: Speed, calls: int) -> list[int]:
    """The bucket of each of so many calls."""
    buckets, upto = _cumulated(speed)
    return random.choices(buckets, cum_weights=upto, k=calls)


@cache
def _cumulated(speed: Speed) -> tuple[list[int], list[float]]:
    means = _means(speed, 1.0)
    return [index for index, _ in means], list(accumulate(mean for _, mean in means))
