import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controlplane.domain import histogram
from controlplane.domain.histogram import (
    HIGHEST,
    LOWEST,
    edges_for_tails,
    index_of,
    quantile_ms,
    quantiles_ms,
    upper_edge_ms,
)

INDICES = st.integers(LOWEST, HIGHEST - 1)
HISTOGRAMS = st.dictionaries(st.integers(LOWEST, HIGHEST), st.integers(1, 10_000), max_size=20)
TAILS = [0.5, 0.1, 0.05, 0.01, 0.001]
DURATIONS = st.lists(st.floats(0.002, 900_000.0), min_size=1, max_size=200)


@given(INDICES)
def test_an_edge_belongs_to_the_bucket_below_it(index):
    edge = upper_edge_ms(index)

    assert index_of(edge) == index
    assert index_of(edge * (1 + 1e-9)) == min(index + 1, HIGHEST)
    assert index_of(edge * (1 - 1e-9)) == index


@given(st.floats(0.002, 900_000.0))
def test_a_duration_lies_within_the_edges_of_its_bucket(milliseconds):
    index = index_of(milliseconds)

    assert upper_edge_ms(index - 1) * (1 - 1e-12) < milliseconds <= upper_edge_ms(index) * (1 + 1e-12)


@pytest.mark.parametrize(("milliseconds", "index"), [(0.0, LOWEST), (-1.0, LOWEST), (1e-9, LOWEST), (1e12, HIGHEST)])
def test_what_is_too_short_or_too_long_is_clipped(milliseconds, index):
    assert index_of(milliseconds) == index


@given(HISTOGRAMS, HISTOGRAMS, HISTOGRAMS)
def test_merging_is_adding_in_any_order_and_grouping(one, two, three):
    together = histogram.merge([one, two, three])

    assert histogram.merge([histogram.merge([one, two]), three]) == together
    assert histogram.merge([one, histogram.merge([two, three])]) == together
    assert histogram.merge([three, one, two]) == together
    assert histogram.size(together) == sum(map(histogram.size, (one, two, three)))


@given(DURATIONS, st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_a_quantile_is_never_too_low_and_at_most_9_05_percent_too_high(durations, quantile):
    exact = sorted(durations)[math.ceil(round(quantile * len(durations), 9)) - 1]

    bound = quantile_ms(_counted(durations), quantile)

    assert bound is not None
    assert exact * (1 - 1e-12) <= bound <= exact * 1.0906


@given(DURATIONS, st.lists(st.floats(0.001, 0.999), max_size=4))
def test_several_quantiles_of_one_pass_are_those_asked_for_one_by_one(durations, quantiles):
    counted = _counted(durations)

    assert quantiles_ms(counted, quantiles) == [quantile_ms(counted, each) for each in quantiles]


@given(DURATIONS, INDICES)
def test_counts_above_an_edge_are_exact(durations, index):
    slower = sum(1 for each in durations if index_of(each) > index)

    assert histogram.above(_counted(durations), index) == slower


@given(st.floats(0.01, 600_000.0))
def test_what_is_above_a_threshold_edge_is_slower_than_the_threshold(threshold):
    edge = histogram.edge_at_or_above(threshold)

    assert upper_edge_ms(edge) >= threshold * (1 - 1e-12)
    assert upper_edge_ms(edge - 1) <= threshold * (1 + 1e-12)


def test_without_counts_there_is_no_quantile_and_no_edge():
    assert quantile_ms({}, 0.99) is None
    assert quantiles_ms({}, [0.5, 0.99]) == quantiles_ms({3: 0}, [0.5, 0.99]) == [None, None]
    assert edges_for_tails({}, [0.5, 0.01]) == edges_for_tails({3: 0}, [0.5, 0.01]) == [None, None]


def test_the_edge_for_a_tail_leaves_about_that_tail_above_it():
    counts = {10: 900, 20: 90, 30: 9, 40: 1}

    assert edges_for_tails(counts, [0.1, 0.01, 0.001]) == [10, 20, 30]


def test_where_everything_took_equally_long_the_edge_is_above_all_of_it():
    assert edges_for_tails({24: 1000}, [0.5]) == [24]
    assert histogram.above({24: 1000}, 24) == 0


@given(st.dictionaries(st.integers(LOWEST, HIGHEST - 1), st.integers(0, 1000), min_size=2))
def test_the_edge_for_a_tail_is_the_first_of_those_whose_tail_is_nearest_on_a_log_scale(counts):
    masses = {index: histogram.above(counts, index) / max(1, histogram.size(counts)) for index in sorted(counts)}
    known = {index: math.log(mass) for index, mass in masses.items() if mass}
    assume(known)

    for tail, edge in zip(TAILS, edges_for_tails(counts, TAILS), strict=True):
        assert edge == min(known, key=lambda index: (abs(known[index] - math.log(tail)), index))


def _counted(durations):
    counts = {}
    for each in durations:
        counts[index_of(each)] = counts.get(index_of(each), 0) + 1
    return counts
