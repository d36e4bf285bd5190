import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.assignment import Assignment, Turnout
from controlplane.domain.evidence import Pair
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.intervals import rate_interval, ratio_interval
from controlplane.domain.observation import Evidence
from controlplane.domain.rates import at_least, rates_of

UNITS = st.integers(1, 100_000)


@given(UNITS, st.data())
def test_the_observed_rate_lies_in_its_interval(units, data):
    bad = data.draw(st.integers(0, units))
    interval = rate_interval(bad, units)

    assert 0 <= interval.low <= bad / units <= interval.high <= 1
    assert interval.low < interval.high


@given(st.integers(1, 2000), st.data())
def test_more_data_and_less_certainty_make_an_interval_narrower(units, data):
    bad = data.draw(st.integers(0, units))

    def width(times, **how):
        interval = rate_interval(bad * times, units * times, **how)
        return interval.high - interval.low

    assert width(20) <= width(1) + 1e-9
    assert width(1, confidence=0.9) <= width(1, confidence=0.99) + 1e-9
    assert width(1, design_effect=1.0) <= width(1, design_effect=4.0) + 1e-9


def test_before_the_first_key_everything_is_possible():
    assert (rate_interval(0, 0).low, rate_interval(0, 0).high) == (0.0, 1.0)
    assert (ratio_interval([]).low, ratio_interval([]).high) == (0.0, math.inf)


def test_a_rate_stays_in_its_interval_however_often_one_looks():
    source = random.Random("rate")
    left = 0
    for _ in range(200):
        bad = 0
        for units in range(1, 41):
            bad += sum(source.random() < 0.1 for _ in range(25))
            interval = rate_interval(bad, 25 * units, confidence=0.9, design_effect=1.0)
            if not interval.low <= 0.1 <= interval.high:
                left += 1
                break

    assert left <= 28  # 20 expected at most; 28 is 2 standard deviations more


def a_stratum(source, keys, share, rate, ratio):
    ours = round(keys * share)
    bad = (
        sum(source.random() < rate * ratio for _ in range(ours)),
        sum(source.random() < rate for _ in range(keys - ours)),
    )
    return Pair(ours, keys - ours, *bad)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_a_ratio_lies_in_its_interval_though_each_share_has_its_own_rate(ratio):
    source = random.Random(f"ratio {ratio}")
    left = 0
    for _ in range(100):
        strata = [a_stratum(source, 1000, 0.1, 0.02, ratio), a_stratum(source, 1000, 0.5, 0.2, ratio)]
        interval = ratio_interval(strata, confidence=0.9, design_effect=1.0)
        left += not interval.low <= ratio <= interval.high

    assert left <= 16  # 10 expected at most


@given(st.integers(1, 5000), st.integers(1, 5000), st.data())
def test_swapping_the_arms_turns_a_ratio_round(candidate, baseline, data):
    ours, theirs = data.draw(st.integers(0, candidate)), data.draw(st.integers(0, baseline))
    one = ratio_interval([Pair(candidate, baseline, ours, theirs)])
    other = ratio_interval([Pair(baseline, candidate, theirs, ours)])

    assert one.low == pytest.approx(1 / other.high if other.high else math.inf, rel=1e-4)


def evidence(candidate_bad, baseline_bad):
    seen = Assignment(Turnout(keys=9000, bad=baseline_bad), Turnout(keys=1000, bad=candidate_bad))
    return Evidence(assignments={10_000: seen})


def test_both_rates_come_with_intervals_as_sure_as_a_rollback_is():
    rates = rates_of(evidence(50, 90), Guardrails(compare=Compare(alpha=0.05)))

    assert (rates.candidate, rates.baseline, rates.confidence) == (0.05, 0.01, 0.95)
    assert rates.candidate_interval.low < 0.05 < rates.candidate_interval.high
    assert 1 < rates.ratio.low < 5 < rates.ratio.high


def test_a_rate_of_nobody_is_no_rate():
    rates = rates_of(Evidence(), Guardrails())

    assert (rates.candidate, rates.baseline) == (None, None)


def test_how_many_times_worse_is_a_lower_bound_with_its_certainty():
    assert at_least(evidence(200, 90), Guardrails(design_effect=1.0)) == "at least 12 times as often (99\u202f%)"
    assert at_least(evidence(10, 90), Guardrails()) is None
    assert at_least(evidence(34, 90), Guardrails()) is None  # 1.05, which would be told as "1 times"
