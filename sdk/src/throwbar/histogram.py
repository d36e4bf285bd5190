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


_UPPER_BOUNDS_NS = [_upper_bound_ns(index) for index in range(LOWEST, HIGHEST)]
SLOTS = len(_UPPER_BOUNDS_NS) + 1

# The six highest bits of a duration tell its slot, or the one below: they leave less than 1/32 open, while a bucket
# ends 1/11 above its beginning. So a look at one bound replaces a search among all of them. By the bit length of a
# duration: how far to shift it, and the slot by what is left then. A hot path looks here itself.
_NARROW = 6


def _slots_by_highest_bits(bits: int) -> tuple[int, ...]:
    half = 1 << _NARROW - 1
    shift = bits - _NARROW
    return (0,) * half + tuple(bisect_left(_UPPER_BOUNDS_NS, top << shift) for top in range(half, 2 * half))


_BELOW, _ABOVE = _UPPER_BOUNDS_NS[0].bit_length() - 1, _UPPER_BOUNDS_NS[-1].bit_length() + 1
_SHORT, _LONG = (0,) * (1 << _NARROW), (SLOTS - 1,) * (1 << _NARROW)
SLOTS_BY_BITS = tuple(
    (
        max(bits - _NARROW, 0),
        _SHORT if bits <= _BELOW else _LONG if bits > _ABOVE else _slots_by_highest_bits(bits),
    )
    for bits in range(128)
)
UPPER_BOUNDS_NS = (*_UPPER_BOUNDS_NS, 1 << 128)  # nothing is above the last slot


def slot_of(duration_ns: int) -> int:
    """The index counted from 0: LOWEST is slot 0."""
    shift, slots = SLOTS_BY_BITS[duration_ns.bit_length()]
    slot = slots[duration_ns >> shift]
    return slot + 1 if duration_ns > UPPER_BOUNDS_NS[slot] else slot


def index_of(duration_ns: int) -> int:
    """Bucket index of a duration in nanoseconds, clipped to LOWEST…HIGHEST."""
    return slot_of(duration_ns) + LOWEST
