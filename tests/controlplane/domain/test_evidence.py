import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controlplane.domain import evidence
from controlplane.domain.evidence import Pair, Wealth, comparison_factors, staked, threshold_factors

NEEDED = math.log(100)  # α = 1 %
COUNTS = st.integers(0, 5000)


@st.composite
def pairs(draw):
    candidate, baseline = draw(COUNTS), draw(COUNTS)
    return Pair(candidate, baseline, draw(st.integers(0, candidate)), draw(st.integers(0, baseline)))


def compared(*buckets, ratio=1.1, margin=0.0005):
    wealth = Wealth()
    for bucket in buckets:
        wealth = staked(wealth, comparison_factors(bucket, ratio=ratio, margin=margin))
    return wealth


def swapped(pair):
    return Pair(pair.baseline, pair.candidate, pair.baseline_bad, pair.candidate_bad)


def test_before_the_first_bucket_nothing_speaks_against_anybody():
    assert Wealth().log_evidence == 0.0


@given(st.integers(1, 2000))
def test_a_game_nobody_wins_leaves_the_wealth_at_one(buckets):
    wealth = Wealth()
    for _ in range(min(buckets, 200)):
        wealth = staked(wealth, (0.0,) * len(evidence.BETS))

    assert wealth.log_evidence == pytest.approx(0.0, abs=1e-9)


@given(pairs())
def test_swapping_the_arms_flips_the_decision(pair):
    accused = compared([pair], margin=0.0).log_evidence >= NEEDED
    acquitted = compared([swapped(pair)], margin=0.0).log_evidence < NEEDED

    assert acquitted or not accused


def test_the_worse_arm_is_the_one_that_is_accused():
    worse = Pair(candidate=500, baseline=500, candidate_bad=100, baseline_bad=5)

    assert compared([worse]).log_evidence >= NEEDED
    assert compared([swapped(worse)]).log_evidence < 0


@given(st.integers(0, 1000), st.data())
def test_a_stratum_with_one_arm_gives_no_evidence(units, data):
    bad = data.draw(st.integers(0, units))

    for alone in (Pair(units, 0, bad, 0), Pair(0, units, 0, bad)):
        assert set(comparison_factors([alone], ratio=1.1, margin=0.0005)) == {0.0}


@given(pairs(), st.integers(1, 4))
def test_the_same_counts_split_into_equal_strata_weigh_the_same(pair, parts):
    whole = Pair(*(getattr(pair, name) * parts for name in Pair.__slots__))

    split = comparison_factors([pair] * parts, ratio=1.1, margin=0.0005)

    assert split == pytest.approx(comparison_factors([whole], ratio=1.1, margin=0.0005), rel=1e-9, abs=1e-9)


def test_strata_are_not_pooled():
    """Simpson's paradox: pooled, the candidate looks worse; within each share it is exactly like the baseline."""
    calm = Pair(candidate=100, baseline=9900, candidate_bad=1, baseline_bad=99)
    stormy = Pair(candidate=5000, baseline=5000, candidate_bad=1500, baseline_bad=1500)
    pooled = Pair(5100, 14_900, 1501, 1599)

    assert compared([calm, stormy]).log_evidence < 0.1
    assert compared([pooled]).log_evidence >= NEEDED


def test_a_candidate_that_fails_90_percent_is_accused_within_one_bucket_of_100_units():
    outage = Pair(candidate=100, baseline=100, candidate_bad=90, baseline_bad=1)
    rare = Pair(candidate=100, baseline=9900, candidate_bad=90, baseline_bad=99)

    assert compared([outage]).log_evidence >= NEEDED
    assert compared([rare]).log_evidence >= NEEDED


def test_old_good_buckets_do_not_pay_for_a_late_regression():
    good = Pair(candidate=500, baseline=500, candidate_bad=1, baseline_bad=1)
    bad = Pair(candidate=500, baseline=500, candidate_bad=100, baseline_bad=1)

    assert compared(*[[good]] * 2000, [bad], [bad]).log_evidence >= NEEDED


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.2])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.98])
def test_row_29_identical_arms_are_accused_in_at_most_one_run_of_a_hundred(rate, share):
    drawn = random.Random(f"{rate}/{share}")
    accused = sum(_is_ever_accused(drawn, rate, rate, share) for _ in range(100))

    assert accused <= 2


def test_a_candidate_exactly_at_the_tolerance_is_accused_in_at_most_one_run_of_a_hundred():
    drawn = random.Random("tolerance")
    accused = sum(_is_ever_accused(drawn, 0.05, 0.05 * 1.1 + 0.0005, 0.5) for _ in range(300))

    assert accused <= 6


def _is_ever_accused(drawn, baseline_rate, candidate_rate, share, buckets=300, units=200):
    """Looked at after every bucket, and stopped at the first one that convinces."""
    wealth, candidates = Wealth(), max(2, round(units * share))
    for _ in range(buckets):
        rest = units - candidates
        pair = Pair(
            candidates, rest, _failures(drawn, candidates, candidate_rate), _failures(drawn, rest, baseline_rate)
        )
        wealth = staked(wealth, comparison_factors([pair], ratio=1.1, margin=0.0005))
        if wealth.log_evidence >= NEEDED:
            return True
    return False


def _failures(drawn, units, rate):
    """A binomial draw: by its normal approximation where it is good enough, else one by one."""
    mean = units * rate
    if mean > 10:
        return min(units, max(0, round(drawn.gauss(mean, math.sqrt(mean * (1 - rate))))))
    failures, position = 0, 0.0
    while rate:
        position += math.floor(math.log(1 - drawn.random()) / math.log(1 - rate)) + 1
        if position > units:
            break
        failures += 1
    return failures


@given(st.integers(1, 5000), st.floats(0.001, 0.9999))
def test_a_rate_far_below_an_absolute_limit_is_no_evidence(units, limit):
    wealth = staked(Wealth(), threshold_factors(units, 0, limit))

    assert wealth.log_evidence <= 1e-12


@given(st.integers(100, 5000), st.floats(0.001, 0.5))
def test_an_outage_breaks_an_absolute_limit_within_one_bucket(units, limit):
    wealth = staked(Wealth(), threshold_factors(units, round(0.95 * units), limit))

    assert wealth.log_evidence >= NEEDED


def test_a_rate_at_an_absolute_limit_breaks_it_in_at_most_one_run_of_a_hundred():
    drawn = random.Random("limit")
    broken = 0
    for _ in range(200):
        wealth, worst = Wealth(), 0.0
        for _ in range(200):
            wealth = staked(wealth, threshold_factors(100, _failures(drawn, 100, 0.05), 0.05))
            worst = max(worst, wealth.log_evidence)
        broken += worst >= NEEDED

    assert broken <= 5


@given(st.integers(0, 500), st.floats(0.001, 0.9999))
def test_more_failures_never_speak_less_against_a_limit(units, limit):
    assume(units)
    logs = [staked(Wealth(), threshold_factors(units, bad, limit)).log_evidence for bad in (0, units // 2, units)]

    assert logs == sorted(logs)


def test_the_mean_of_evidence_is_evidence():
    assert evidence.log_mean([math.log(4), math.log(2)]) == pytest.approx(math.log(3))


@pytest.mark.parametrize(("log", "number"), [(-5.0, 1), (0.0, 1), (math.log(100), 100), (1e6, 1e12)])
def test_evidence_reads_as_one_in_so_many(log, number):
    assert evidence.one_in(log) == pytest.approx(number)
