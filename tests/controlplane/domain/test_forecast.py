import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.forecast import SHARES, TAIL, Traffic, forecast, smallest_share
from controlplane.domain.guardrails import Compare
from controlplane.domain.share import FULL, from_percent
from controlplane.domain.stakes import COMPARISON

COMPARE = Compare()
STRICT = Compare(error_rate_ratio=1.0, error_rate_margin=0.0)
ONE_PERCENT = from_percent(1)
BUSY = Traffic(keys_per_second=100, failure_rate=0.01)

TRAFFICS = st.builds(Traffic, st.floats(0.1, 10_000), st.floats(0.0001, 0.2))
PROPER_SHARES = st.integers(1, FULL - 1)


def test_without_tolerance_it_is_the_textbook_formula():
    rho, before, after = 0.1, 0.01, 0.02
    growth = after * math.log(2) - (after + before * (1 - rho) / rho) * math.log(1 + rho)

    seen = forecast(BUSY, from_percent(10), STRICT, design_effect=1.0)

    assert seen.candidate_keys == pytest.approx((math.log(200 / COMPARISON) + 1.9) / growth, rel=1e-6)
    assert seen.median_seconds == pytest.approx(seen.candidate_keys / 10)
    assert seen.p95_seconds == TAIL * seen.median_seconds


@given(TRAFFICS, PROPER_SHARES)
def test_a_larger_design_effect_takes_as_many_times_longer(traffic, share):
    one, two = (forecast(traffic, share, STRICT, times=3.0, design_effect=effect) for effect in (1.0, 2.0))

    assert two.median_seconds <= 2 * one.median_seconds * (1 + 1e-9)
    assert two.median_seconds >= one.median_seconds


@given(TRAFFICS, PROPER_SHARES, st.floats(1.5, 50), st.floats(1, 10))
def test_a_worse_regression_is_never_seen_later(traffic, share, times, more):
    mild, bad = (forecast(traffic, share, COMPARE, times=each) for each in (times, times * more))

    assert mild is None or bad.candidate_keys <= mild.candidate_keys * (1 + 1e-6)


@given(TRAFFICS, PROPER_SHARES)
def test_more_traffic_shortens_the_time_and_not_the_number_of_keys(traffic, share):
    double = replace(traffic, keys_per_second=2 * traffic.keys_per_second)
    slow, quick = (forecast(each, share, STRICT) for each in (traffic, double))

    assert quick.candidate_keys == slow.candidate_keys
    assert quick.median_seconds == pytest.approx(slow.median_seconds / 2)


def test_what_is_tolerated_is_never_seen():
    assert forecast(BUSY, ONE_PERCENT, COMPARE, times=1.1) is None


@pytest.mark.parametrize("share", [0, FULL])
def test_without_a_second_side_nothing_is_seen(share):
    assert forecast(BUSY, share, COMPARE) is None


def test_without_traffic_nothing_is_seen():
    assert forecast(Traffic(0, 0.01), ONE_PERCENT, COMPARE) is None


def test_a_service_that_never_fails_has_nothing_that_could_double():
    assert forecast(Traffic(100, 0.0), ONE_PERCENT, COMPARE) is None


def test_at_least_three_bad_keys_are_needed_however_much_worse_it_is():
    seen = forecast(Traffic(100, 0.01), ONE_PERCENT, STRICT, times=100, design_effect=0.01)

    assert seen.candidate_keys == 3


def test_operations_share_the_error_probability():
    alone, among = (forecast(BUSY, ONE_PERCENT, COMPARE, operations=number) for number in (1, 50))

    assert among.candidate_keys > alone.candidate_keys


def test_the_share_proposed_is_the_smallest_that_sees_it_in_time():
    hour = 3600.0
    proposed = smallest_share(BUSY, hour, COMPARE)
    times = {share: forecast(BUSY, share, COMPARE).median_seconds for share in SHARES}

    assert times[proposed] <= hour
    assert all(seconds > hour for share, seconds in times.items() if share < proposed)


def test_where_no_share_sees_it_in_time_none_is_proposed():
    assert smallest_share(Traffic(0.01, 0.001), 600, COMPARE) is None
