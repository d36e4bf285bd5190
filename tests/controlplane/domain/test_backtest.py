from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.backtest import Kind, Moment, Run, looked
from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.rollout import Rollout, State
from tests.builders import NOW, a_finding, a_plan

HOUR = timedelta(hours=1)
SUSPICIOUS = a_finding(Consequence.HOLD, guardrail="errors_vs_baseline")
TOO_FEW = a_finding(Consequence.HOLD, guardrail="min_samples")
BREACH = a_finding(Consequence.ROLL_BACK)
REPORTED = a_finding(Consequence.REPORT)
FINE = a_finding()


def a_moment(*findings, after=timedelta(0), **rollout):
    lived = Rollout(**{"state": State.RUNNING, "entered_at": NOW, **rollout})
    return Moment(NOW + after, a_plan(), lived, findings, 1.5)


def kinds(*moments):
    run = Run()
    for moment in moments:
        run = looked(run, moment)
    return [each.kind for each in run.events]


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (FINE, []),
        (TOO_FEW, []),
        (SUSPICIOUS, [Kind.SUSPICIOUS, Kind.HOLD]),
        (BREACH, [Kind.ROLL_BACK]),
        (REPORTED, [Kind.REPORT]),
    ],
)
def test_a_look_becomes_the_event_that_it_is(finding, expected):
    assert kinds(a_moment(finding)) == expected


def test_each_thing_is_told_once_however_often_it_is_seen():
    assert kinds(*[a_moment(SUSPICIOUS, after=HOUR * n / 9) for n in range(5)]) == [Kind.SUSPICIOUS, Kind.HOLD]


def test_a_stage_that_was_lived_on_is_left_once_and_the_next_one_again():
    first = [a_moment(FINE, after=HOUR), a_moment(FINE, after=2 * HOUR)]
    second = a_moment(FINE, after=4 * HOUR, stage=1, entered_at=NOW + 3 * HOUR)
    last = a_moment(FINE, after=4 * HOUR, stage=3)

    assert kinds(*first, second, last) == [Kind.ADVANCE, Kind.ADVANCE, Kind.COMPLETE]


@given(st.lists(st.sampled_from([FINE, SUSPICIOUS, BREACH, REPORTED, replace(FINE, verdict=Verdict.INCONCLUSIVE)])))
def test_nothing_comes_after_a_rollback(findings):
    told = kinds(*[a_moment(each, after=HOUR) for each in findings])

    assert Kind.ROLL_BACK not in told[:-1]
    assert (Kind.ROLL_BACK in told) is (BREACH in findings)
