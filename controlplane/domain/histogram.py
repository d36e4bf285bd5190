"""Histogram: counts of durations in fixed exponential buckets; merging is adding.

Bucket i holds (2^(i/8), 2^((i+1)/8)] milliseconds: the base-2 exponential histogram of OpenTelemetry at scale 3,
which bounds a quantile to 9.05 %. Fixed edges make counts above an edge exact, which is what evidence is built on.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

LOWEST = -80  # 1 µs
HIGHEST = 160  # 17 minutes
PER_DOUBLING = 8

Histogram = Mapping[int, int]


def upper_edge_ms(index: int) -> float:
    """The largest duration that bucket `index` holds, in milliseconds."""
    return float(2.0 ** ((index + 1) / PER_DOUBLING))


# Looked up, not computed by a logarithm: that would put 2^(1/8) ms itself into the bucket above it.
_EDGES = [upper_edge_ms(index) for index in range(LOWEST, HIGHEST)]


def index_of(milliseconds: float) -> int:
    """The bucket of a duration; clipped to the ends."""
    return bisect_left(_EDGES, milliseconds) + LOWEST


def merge(histograms: Iterable[Histogram]) -> dict[int, int]:
    """The sum of histograms."""
    each = iter(histograms)
    total: dict[int, int] = dict(next(each, {}))
    for histogram in each:
        for index, count in histogram.items():
            total[index] = total.get(index, 0) + count
    return total


def size(histogram: Histogram) -> int:
    """How many durations were counted."""
    return sum(histogram.values())


def above(histogram: Histogram, index: int) -> int:
    """How many durations lie above the upper edge of bucket `index`. Exact."""
    return sum([count for at, count in histogram.items() if at > index])


def quantile_index(histogram: Histogram, quantile: float) -> int | None:
    """The bucket that holds the quantile; None when nothing was counted."""
    rank = max(1, math.ceil(quantile * size(histogram)))
    seen = 0
    for index in sorted(histogram):
        seen += histogram[index]
        if seen >= rank:
            return index
    return None


def quantile_ms(histogram: Histogram, quantile: float) -> float | None:
    """An upper bound of the quantile in milliseconds, at most 9.05 % too high."""
    index = quantile_index(histogram, quantile)
    return None if index is None else upper_edge_ms(index)


def quantiles_ms(histogram: Histogram, quantiles: Sequence[float]) -> list[float | None]:
    """Each as `quantile_ms` says it, of one pass over the buckets."""
    indices = sorted(histogram)
    seen = list(accumulate(histogram[index] for index in indices))
    if not seen or not seen[-1]:
        return [None] * len(quantiles)
    ranks = (max(1, math.ceil(quantile * seen[-1])) for quantile in quantiles)
    return [upper_edge_ms(indices[bisect_left(seen, rank)]) for rank in ranks]


def edge_at_or_above(milliseconds: float) -> int:
    """The smallest bucket whose upper edge is at or above a threshold: `above` it means slower than the threshold."""
    return index_of(milliseconds)


def edges_for_tails(histogram: Histogram, tails: Sequence[float]) -> list[int | None]:
    """For each tail the bucket edge whose tail mass is nearest to it on a log scale; None without counts."""
    total = remaining = size(histogram)
    masses: list[tuple[float, int]] = []
    for index in sorted(histogram):
        remaining -= histogram[index]
        if remaining:
            masses.append((math.log(remaining / total), index))
    if not masses:
        return [quantile_index(histogram, 1.0)] * len(tails)
    return [_nearest(masses, math.log(tail)) for tail in tails]


def _nearest(masses: Sequence[tuple[float, int]], wanted: float) -> int:
    """Of falling masses, each with its index; the first of those that are equally near."""
    least, found = math.inf, masses[0][1]
    for mass, index in masses:
        distance = abs(mass - wanted)
        if distance > least:
            break
        if distance < least:
            least, found = distance, index
    return found
