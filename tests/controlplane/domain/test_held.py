from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.assignment import Assignment, Turnout
from controlplane.domain.attachment import Attachment
from controlplane.domain.criteria import Criterion, Outcome, Point, worst
from controlplane.domain.held import (
    Affinity,
    Breakers,
    Quiet,
    affinity_held,
    breakers_function,
    nobody_strayed,
    stable,
)
from controlplane.domain.held import tests_pass as suites_pass
from tests.builders import NOW

HOUR = 3600
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (Breakers("echo"), Outcome.UNKNOWN),
        (Breakers("echo", switched_on=False), Outcome.FAILED),
        (Breakers("echo", kept_back=9, probes=2, opened=(0,), answered=(0, HOUR)), Outcome.PASSED),
        (Breakers("echo", kept_back=9, probes=2, opened=(0, HOUR), answered=(0, HOUR)), Outcome.UNKNOWN),
        (Breakers("echo", kept_back=9, probes=0, opened=(0,), answered=(HOUR,)), Outcome.UNKNOWN),
        (Breakers("echo", kept_back=9, forced=(0,), answered=(HOUR,)), Outcome.PASSED),
        (Breakers("echo", kept_back=9, forced=(0,)), Outcome.UNKNOWN),
        (Breakers("echo", unnoticed=(0,), answered=(HOUR,)), Outcome.FAILED),
    ],
)
def test_breakers_pass_when_they_were_seen_to_open_and_to_close_again(seen, outcome):
    assert breakers_function(seen).outcome is outcome


def drawn(ours: int, theirs: int, share: int = 50_000) -> Affinity:
    return Affinity("echo", {share: Assignment(Turnout(theirs, theirs), Turnout(ours, ours))}, 1, 0.001)


def test_affinity_passes_when_as_many_keys_went_to_the_candidate_as_the_share_draws():
    assert affinity_held(drawn(505, 495)).outcome is Outcome.PASSED
    assert affinity_held(drawn(20, 20)).outcome is Outcome.UNKNOWN
    assert affinity_held(drawn(700, 300)).outcome is Outcome.FAILED
    assert affinity_held(replace(drawn(505, 495), switched_on=False)).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("watched", "strayed", "outcome"),
    [(0, 0, Outcome.UNKNOWN), (99, 0, Outcome.UNKNOWN), (100, 0, Outcome.PASSED), (5000, 1, Outcome.FAILED)],
)
def test_one_key_that_both_sides_served_is_one_too_many(watched, strayed, outcome):
    assert nobody_strayed(replace(drawn(505, 495), watched=watched, strayed=strayed)).outcome is outcome


def test_calls_without_a_key_are_said_to_stick_to_nothing():
    sentence = affinity_held(replace(drawn(505, 495), keyless=50, calls=1000)).sentence

    assert "5\u202f% of calls have no key and cannot stick" in sentence


def quiet(**changes) -> Quiet:
    return replace(Quiet("echo", 98, 98, NOW - 31 * DAY, None, None, 31), **changes)


def test_thirty_days_at_the_aim_are_stable():
    assert stable(quiet(), NOW).outcome is Outcome.PASSED
    assert stable(quiet(reached_at=NOW - 29 * DAY), NOW).outcome is Outcome.UNKNOWN
    assert stable(quiet(at=50), NOW).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "why"), [("rolled_back_at", "since the last rollback"), ("opened_at", "since a breaker was open")]
)
def test_a_rollback_and_an_open_breaker_begin_the_days_anew(name, why):
    point = stable(quiet(**{name: NOW - 12 * DAY}), NOW)

    assert point.outcome is Outcome.UNKNOWN
    assert point.sentence.startswith(f"echo: 12 of 30 days {why}")


def test_days_without_calls_do_not_count():
    point = stable(quiet(days_heard=20), NOW)

    assert point.outcome is Outcome.UNKNOWN
    assert "with calls on 20 of them only" in point.sentence


def test_the_last_word_of_every_suite_counts():
    run = Attachment("unit", True, "4f2a91c", "https://ci.example.org/7", "", "ci", NOW)

    assert suites_pass([])[0].outcome is Outcome.UNKNOWN
    passed, failed = suites_pass([run, replace(run, suite="browser", passed=False)])
    assert (passed.outcome, failed.outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert failed.sentence == "browser failed at 4f2a91c, attached by ci"


@given(st.lists(st.sampled_from(Outcome)))
def test_a_criterion_stands_as_well_as_its_worst_point_and_says_its_sentence(outcomes):
    points = tuple(Point(each, f"{number} {each}") for number, each in enumerate(outcomes))
    criterion = Criterion("errors", "No increase", points)

    assert criterion.outcome is worst(outcomes)
    if Outcome.FAILED in outcomes:
        assert criterion.outcome is Outcome.FAILED
    if not outcomes:
        assert criterion.outcome is Outcome.UNKNOWN
    else:
        assert criterion.sentence.endswith(criterion.outcome)
