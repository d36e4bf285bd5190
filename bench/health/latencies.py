"""How fast do simulated sides answer? Lognormal times in the histogram's own buckets, drawn as counts."""

from dataclasses import dataclass
from functools import cache
from math import log
from random import Random
from statistics import NormalDist

from bench.health.draws import binomial
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


@cache
def _chances(speed: Speed) -> tuple[tuple[int, float], ...]:
    """For each bucket, the chance that a call which is not in the ones before it is in this one."""
    found, before = [], 0.0
    for index in range(_LOWEST, _HIGHEST):
        upto = _below(upper_edge_ms(index), speed)
        if upto - before > 1e-12:
            found.append((index, min(1.0, (upto - before) / (1 - before))))
        before = upto
    return tuple(found)


def _below(milliseconds: float, speed: Speed) -> float:
    at = log(milliseconds / speed.all)
    if at <= _KNEE:
        return _TIMES.cdf(at)
    return max(_TIMES.cdf(_KNEE), _TIMES.cdf(at - log(speed.tail)))


def histogram_of(random: Random, speed: Speed, calls: int) -> dict[int, int]:
    """A multinomial draw: each bucket takes its part of those that are left."""
    counts, left = {}, calls
    for index, chance in _chances(speed):
        if not left:
            break
        taken = binomial(random, left, chance)
        if taken:
            counts[index] = taken
            left -= taken
    return counts
