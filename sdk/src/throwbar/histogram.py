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


UPPER_BOUNDS_NS = [_upper_bound_ns(index) for index in range(LOWEST, HIGHEST)]
SLOTS = len(UPPER_BOUNDS_NS) + 1

# By the bit length of a duration: how many bounds are below all of that length, and the bounds among them. A hot path
# looks here itself, which halves the search.
BELOW = tuple(bisect_left(UPPER_BOUNDS_NS, 1 << bits >> 1) for bits in range(128))
OCTAVES = tuple(
    UPPER_BOUNDS_NS[BELOW[bits] : bisect_left(UPPER_BOUNDS_NS, 1 << bits) if bits else 0] for bits in range(128)
)


def slot_of(duration_ns: int) -> int:
    """The index counted from 0: LOWEST is slot 0."""
    bits = duration_ns.bit_length()
    return BELOW[bits] + bisect_left(OCTAVES[bits], duration_ns)


def index_of(duration_ns: int) -> int:
    """Bucket index of a duration in nanoseconds, clipped to LOWEST…HIGHEST."""
    return slot_of(duration_ns) + LOWEST
