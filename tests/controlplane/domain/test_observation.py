import json
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.watching import evidence_document, parse_evidence
from controlplane.domain.arm import Arm, total
from controlplane.domain.bucket import Stratum
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.observation import Evidence, gather
from controlplane.domain.tails import LARGEST_LATENCY_WIN, quantile_name, quantile_of
from tests.builders import a_bucket, an_arm

LIMITS = Guardrails(max_error_rate=0.05, max_latency_ms={"p99": 1000.0, "p50": 100.0})


@st.composite
def arms(draw):
    keys = draw(st.integers(0, 500))
    slow = draw(st.integers(0, keys))
    counts = {index: number for index, number in {24: keys - slow, draw(st.integers(25, 90)): slow}.items() if number}
    bad = draw(st.integers(0, keys))
    return an_arm(keys, bad, latency=counts, key_latency=counts, rise_to=counts)


BUCKETS = st.lists(st.builds(a_bucket, arms(), arms(), share=st.sampled_from([1000, 10_000])), min_size=1, max_size=12)


def gathered(buckets, guardrails=LIMITS):
    return reduce(lambda seen, bucket: gather(seen, bucket, guardrails), buckets, Evidence())


def logs(seen):
    wealths = [seen.errors, seen.max_error_rate, *seen.latency.values(), *seen.max_latency.values()]
    return [each.log_evidence for each in wealths]


@given(BUCKETS)
def test_evidence_is_the_same_after_being_stored_and_read_after_every_bucket(buckets):
    seen = Evidence()
    for bucket in buckets:
        seen = gather(parse_evidence(json.loads(json.dumps(evidence_document(seen)))), bucket, LIMITS)

    assert logs(seen) == pytest.approx(logs(gathered(buckets)), abs=1e-12, rel=1e-12)
    assert replace(seen, history={}) == replace(gathered(buckets), history={})


@given(BUCKETS, st.data())
def test_rows_split_or_merged_in_any_order_give_the_same_number(buckets, data):
    def shuffled(arm):
        parts = [Arm(), *_halves(arm)]
        return total(data.draw(st.permutations(parts)))

    split = [
        replace(each, strata=tuple(Stratum(s.share, shuffled(s.baseline), shuffled(s.candidate)) for s in each.strata))
        for each in buckets
    ]

    assert logs(gathered(split)) == pytest.approx(logs(gathered(buckets)), abs=1e-9)


def _halves(arm):
    def half(counts):
        return {index: number // 2 for index, number in counts.items()}

    def rest(counts):
        return {index: number - number // 2 for index, number in counts.items()}

    numbers = ("calls", "bad", "keys", "bad_keys")
    histograms = ("latency", "key_latency", "rise_to")
    one = {name: getattr(arm, name) // 2 for name in numbers} | {n: half(getattr(arm, n)) for n in histograms}
    two = {name: getattr(arm, name) - one[name] for name in numbers} | {n: rest(getattr(arm, n)) for n in histograms}
    return Arm(**one), Arm(**two)


def test_keys_are_compared_and_calls_only_measured():
    """One key that calls a thousand times and fails each time is one bad key."""
    chatty = an_arm(100, 1, calls=1099, bad=1000)
    quiet = an_arm(100, 1)

    assert gathered([a_bucket(chatty)]).errors == gathered([a_bucket(quiet)]).errors
    assert gathered([a_bucket(chatty)]).max_error_rate != gathered([a_bucket(quiet)]).max_error_rate


def test_what_rules_assigned_is_measured_and_not_compared():
    bucket = a_bucket(an_arm(100))
    with_rules = replace(bucket, candidate=an_arm(200, 100))

    assert gathered([with_rules]).errors == gathered([bucket]).errors
    assert gathered([with_rules]).max_error_rate.log_evidence > gathered([bucket]).max_error_rate.log_evidence


def test_changed_limits_start_the_evidence_anew_but_keep_what_is_known_of_the_baseline():
    seen = gathered([a_bucket(an_arm(100, 50))] * 5)
    other = replace(LIMITS, compare=Compare(error_rate_ratio=2.0))

    after = gather(seen, a_bucket(start=50), other)

    assert after.errors.buckets == 1
    assert after.candidate_bad_keys == 0
    assert after.keys_at == {1000: (600, 600)}
    assert sum(after.history.values()) == 600


def test_a_changed_window_or_minimum_restarts_nothing():
    seen = gathered([a_bucket()] * 5)

    after = gather(seen, a_bucket(start=50), replace(LIMITS, window_seconds=300, min_samples=5))

    assert after.errors.buckets == 6


def test_the_edges_of_latency_come_from_the_buckets_before():
    first = gathered([a_bucket(an_arm(milliseconds=900.0))])
    second = gather(first, a_bucket(an_arm(milliseconds=900.0)), LIMITS)

    assert first.latency == {}
    assert second.slow["p99"] == (0, 100)


def test_one_edge_serves_both_sides():
    """The tolerance is in the counts already: services lower the candidate's rises by it."""

    def slow_keys(milliseconds):
        return gathered([a_bucket(an_arm(milliseconds=milliseconds))] * 2).slow["p99"][1]

    assert slow_keys(20.0) == 0
    assert slow_keys(20.0 * 1.2) == 100


@pytest.mark.parametrize(
    ("theirs", "ours", "slow"), [(0.006, 0.4, 0), (0.006, 1.0, 0), (0.006, 1.1, 100), (0.9, 9.0, 100)]
)
def test_what_answers_within_a_millisecond_is_as_fast_as_anything(theirs, ours, slow):
    buckets = [a_bucket(an_arm(milliseconds=ours), an_arm(9900, milliseconds=theirs))] * 5

    seen = gathered(buckets)

    assert {pair[1] > 0 for pair in seen.slow.values()} == {slow > 0}
    assert (seen.log_latency > 1) is (slow > 0)


def test_one_bucket_of_slowness_wins_no_more_than_the_cap():
    steady = gathered([a_bucket()] * 20)

    once = gather(steady, a_bucket(an_arm(10_000, milliseconds=9000.0)), LIMITS)

    assert 0 < once.log_latency - steady.log_latency <= LARGEST_LATENCY_WIN + 1e-9


def test_a_key_that_was_slow_before_is_not_newly_slower():
    rising = Arm(rise_from={30: 5, 50: 2}, rise_to={50: 5, 60: 2})

    assert [rising.newly_slower(index) for index in (29, 40, 55, 60)] == [0, 5, 2, 0]


@pytest.mark.parametrize(
    ("ratio", "buckets"), [(1.0, 0), (1.08, 0), (1.09, 1), (1.19, 2), (1.30, 3), (1.41, 4), (1.5, 4), (2.0, 8)]
)
def test_a_latency_ratio_rounds_down_to_an_edge(ratio, buckets):
    assert Compare(latency_ratio=ratio).latency_tolerance == buckets


@pytest.mark.parametrize(("name", "value"), [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)])
def test_quantiles_have_names(name, value):
    assert quantile_of(name) == value
    assert quantile_name(value) == name


def test_cancelled_calls_are_neither_good_nor_bad():
    arm = Arm(calls=110, cancelled=10, bad=5)

    assert arm.judged == 100
    assert arm.error_rate == 0.05
    assert Arm(calls=3, cancelled=3).error_rate is None


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_side_that_sends_nothing_is_missed_more_with_every_key_of_the_other(first, second):
    nobody, both = an_arm(0), a_bucket(an_arm(1), an_arm(1))
    seen = gathered([both, a_bucket(an_arm(first), nobody), a_bucket(an_arm(second), nobody)])

    assert seen.missed_baseline == pytest.approx((first + second) * 99)
    assert gather(seen, both, LIMITS).missed_baseline == 0


def test_a_hundred_keys_that_call_all_day_may_all_have_been_drawn_to_one_side():
    """At 1 % that is so in 37 of 100 cases, however long it lasts."""
    nobody = an_arm(0)
    first = a_bucket(nobody, replace(an_arm(100), rise_from={}))
    again = a_bucket(nobody, an_arm(100))

    assert gathered([first, *[again] * 1000]).missed_candidate == pytest.approx(100 / 99)
    assert gathered([first, first, *[again] * 10]).missed_candidate == pytest.approx(200 / 99)
