"""OpenTelemetry's exponential histograms, held against its own SDK's mapping of values to buckets."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.exponent_mapping import ExponentMapping
from opentelemetry.sdk.metrics._internal.exponential_histogram.mapping.logarithm_mapping import LogarithmMapping

from controlplane.domain.exponential import from_exponential
from controlplane.domain.histogram import HIGHEST, LOWEST, index_of

DURATIONS_MS = st.floats(0.001, 1_000_000)


def mapping(scale):
    return LogarithmMapping(scale) if scale > 0 else ExponentMapping(scale)


def lies_on_an_edge(log2, buckets_a_doubling):
    """Where a logarithm in floating point may say either bucket."""
    position = log2 * buckets_a_doubling
    return abs(position - round(position)) < 1e-6


@given(st.integers(3, 20), DURATIONS_MS)
def test_milliseconds_at_a_fine_scale_land_in_the_bucket_they_belong_to(scale, duration):
    assume(not lies_on_an_edge(math.log2(duration), 2**scale))

    told = from_exponential(scale, mapping(scale).map_to_index(duration), [7])

    assert told == {index_of(duration): 7}


@given(st.integers(-10, 20), DURATIONS_MS)
def test_seconds_land_at_most_half_of_their_bucket_and_one_of_ours_away(scale, duration):
    (index,) = from_exponential(scale, mapping(scale).map_to_index(duration / 1000), [1], unit_ms=1000.0)

    half = 0.5 * 2.0**-scale * 8  # in buckets of ours
    clipped = index in (LOWEST, HIGHEST)
    assert clipped or abs(index - index_of(duration)) <= half + 1


@given(st.integers(-10, 20), st.integers(-(2**31), 2**31 - 1), st.lists(st.integers(0, 10**9), max_size=40))
def test_no_count_is_lost_and_no_index_lies_outside(scale, offset, counts):
    told = from_exponential(scale, offset, counts, zero=3, unit_ms=1000.0)

    assert sum(told.values()) == sum(counts) + 3
    assert all(LOWEST <= index <= HIGHEST for index in told)


@pytest.mark.parametrize(("scale", "offset", "expected"), [(3, 0, {0: 1, 1: 2}), (4, 0, {0: 3}), (2, 0, {0: 1, 2: 2})])
def test_buckets_that_are_finer_are_added_up_and_coarser_ones_stay_apart(scale, offset, expected):
    assert from_exponential(scale, offset, [1, 2]) == expected
