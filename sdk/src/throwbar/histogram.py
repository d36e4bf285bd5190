"""Which bucket of the histogram does a duration fall into? Pure.

Base-2 exponential buckets of OpenTelemetry at scale 3: index i holds (2^(i/8), 2^((i+1)/8)] milliseconds.
"""

from bisect import bisect_left
from math import isqrt

LOWEST, HIGHEST = -80, 160


def _upper_bound_ns(index: int) -> int:
    """Whole nanoseconds in 2^((index+1)/8) ms. Integer roots: a float would misplace durations at the edge."""
    power = index + 1
    eighth_power = 10**48 << power if power >= 0 else 10**48 >> -power
    return isqrt(isqrt(isqrt(eighth_power)))


# A hot path bisects this list itself, and adds LOWEST when somebody wants to know the index.
UPPER_BOUNDS_NS = [_upper_bound_ns(index) for index in range(LOWEST, HIGHEST)]
SLOTS = len(UPPER_BOUNDS_NS) + 1


def index_of(duration_ns: int) -> int:
    """Bucket index of a duration in nanoseconds, clipped to LOWEST…HIGHEST."""
    return bisect_left(UPPER_BOUNDS_NS, duration_ns) + LOWEST
