import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.domain.bucket import Bucket
from controlplane.domain.criteria import Outcome
from controlplane.domain.guardrails import Compare
from controlplane.domain.no_worse import Compared, errors_no_worse, latency_no_worse
from tests.builders import a_bucket, an_arm

TOLERATED = Compare()


def seen(*buckets: Bucket, compare: Compare | None = TOLERATED) -> Compared:
    return Compared("echo", "python_pool_v2", "snakepit", compare, 1.0, buckets)


def hours(number: int, *, ours: int = 2, theirs: int = 2, milliseconds: float = 20.0) -> list[Bucket]:
    """Hours of 1 000 keys on each side, of whom so many failed, and every key for the first time."""
    candidate = an_arm(1000, ours, milliseconds=milliseconds, rise_from={})
    baseline = an_arm(1000, theirs, rise_from={})
    return [a_bucket(candidate, baseline, share=50_000, start=at * 3600) for at in range(number)]


def test_row_35_as_many_failures_on_both_sides_pass_once_enough_was_seen():
    assert errors_no_worse(seen(*hours(1))).outcome is Outcome.UNKNOWN
    assert errors_no_worse(seen(*hours(400, ours=2, theirs=4))).outcome is Outcome.PASSED


def test_row_35_a_candidate_that_fails_twice_as_often_fails_and_the_sentence_has_both_rates():
    point = errors_no_worse(seen(*hours(200, ours=8, theirs=4)))

    assert point.outcome is Outcome.FAILED
    assert "snakepit 1\u202f600 of 200\u202f000 keys (0.8\u202f%" in point.sentence
    assert "at most 1.1 × as many + 0.05\u202f% is tolerated: worse" in point.sentence
    assert point.numbers["ratio_low"] > 1.1


def test_a_difference_within_the_margin_does_not_fail():
    """Three times as often, and yet 0.02 % of the keys: less than the margin of 0.05 %."""
    buckets = [
        a_bucket(an_arm(100_000, 30, rise_from={}), an_arm(100_000, 10, rise_from={}), share=50_000, start=at)
        for at in range(50)
    ]

    assert errors_no_worse(seen(*buckets)).outcome is not Outcome.FAILED


def test_what_is_not_compared_has_neither_passed_nor_failed():
    assert errors_no_worse(seen(*hours(9), compare=None)).outcome is Outcome.UNKNOWN
    assert latency_no_worse(seen(*hours(9), compare=None)).outcome is Outcome.UNKNOWN
    assert errors_no_worse(seen()).outcome is Outcome.UNKNOWN


def test_one_side_alone_shows_nothing():
    alone = a_bucket(an_arm(1000), an_arm(0), share=100_000)

    assert errors_no_worse(seen(alone)).sentence == "echo: the share has not sent keys to both sides yet"


def test_row_36_latency_passes_for_a_candidate_that_is_as_fast_and_fails_for_one_that_is_not():
    assert latency_no_worse(seen(*hours(200))).outcome is Outcome.PASSED
    slow = latency_no_worse(seen(*hours(50, milliseconds=80.0)))

    assert slow.outcome is Outcome.FAILED
    assert slow.numbers["candidate_p99_ms"] == pytest.approx(80.0, rel=0.1)
    assert "1.19 × the p99 of python_pool_v2" in slow.sentence


def test_the_first_hour_only_teaches_where_the_edge_is():
    point = latency_no_worse(seen(*hours(1, milliseconds=500.0)))

    assert point.outcome is Outcome.UNKNOWN


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=20))
def test_no_story_both_passes_and_has_an_interval_beyond_the_margin(failures):
    buckets = [
        a_bucket(an_arm(500, ours, rise_from={}), an_arm(500, theirs, rise_from={}), share=50_000, start=at)
        for at, (ours, theirs) in enumerate(failures)
    ]

    point = errors_no_worse(seen(*buckets))

    if point.outcome is Outcome.PASSED:
        assert point.numbers["ratio_low"] <= 1.1 or sum(o for o, _ in failures) <= 1.1 * sum(t for _, t in failures) + 5
    assert point.sentence.startswith("echo: failed")
