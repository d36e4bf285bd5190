from bisect import bisect_left
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar.histogram import HIGHEST, LOWEST, UPPER_BOUNDS_NS, index_of, slot_of


@given(st.integers(1_000, 2**40))
def test_a_duration_lies_inside_its_bucket(duration_ns):
    eighths = 8 * log2(duration_ns / 1e6)

    index = index_of(duration_ns)

    assert index - 1e-9 < eighths <= index + 1 + 1e-9 or index in (LOWEST, HIGHEST)


@pytest.mark.parametrize("power", range(-6, 20))
def test_a_power_of_two_closes_its_bucket(power):
    exact_ns = 10**6 * 2**power if power >= 0 else 10**6 // 2**-power

    assert index_of(exact_ns) == 8 * power - 1
    assert index_of(exact_ns + 1) == 8 * power


@pytest.mark.parametrize(("duration_ns", "index"), [(-5, LOWEST), (0, LOWEST), (1, LOWEST), (10**18, HIGHEST)])
def test_what_is_too_short_or_too_long_is_clipped(duration_ns, index):
    assert index_of(duration_ns) == index


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_a_longer_duration_never_has_a_lower_index(one, other):
    assert (index_of(one) <= index_of(other)) or one > other


def test_one_look_finds_the_slot_that_a_search_finds_at_every_edge_and_every_step():
    bounds = UPPER_BOUNDS_NS[:-1]
    steps = [top << shift for top in range(64) for shift in range(60)]

    for duration_ns in {edge + off for edge in [*bounds, *steps] for off in (-1, 0, 1)}:
        if duration_ns >= 0:
            assert slot_of(duration_ns) == bisect_left(bounds, duration_ns)
