"""How does an exponential histogram of OpenTelemetry become one of ours?

Its bucket k at scale s holds (2^(k/2^s), 2^((k+1)/2^s)] of its unit. Ours are those of scale 3 in milliseconds: where
its unit is the millisecond and its scale 3 or finer, every count lands in the bucket that it belongs to. Elsewhere the
edges do not meet, and a count lands where the middle of its bucket lies, on a logarithmic scale: at most half of its
bucket away, which is 2.2 % at scale 4.
Source: opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

from controlplane.domain.histogram import HIGHEST, LOWEST, PER_DOUBLING


def from_exponential(
    scale: int, offset: int, counts: Sequence[int], *, zero: int = 0, unit_ms: float = 1.0
) -> dict[int, int]:
    """Index of ours → count. `counts` are those of the buckets from `offset` on, `zero` of durations too short for any,
    `unit_ms` how many milliseconds one of its unit is.
    """
    found: dict[int, int] = {LOWEST: zero} if zero else {}
    for bucket, count in enumerate(counts, offset):
        if count:
            index = _index(scale, bucket, unit_ms)
            found[index] = found.get(index, 0) + count
    return found


@lru_cache(maxsize=1 << 14)  # a service has a few scales, and calls that take about as long as those before
def _index(scale: int, bucket: int, unit_ms: float) -> int:
    """Where the middle of a bucket lies; clipped to the ends."""
    log2_ms = (bucket + 0.5) * 2.0**-scale + math.log2(unit_ms)
    return min(max(math.ceil(log2_ms * PER_DOUBLING) - 1, LOWEST), HIGHEST)
