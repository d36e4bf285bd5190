from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.findings import Consequence, Verdict
from controlplane.domain.rollout import (
    ATTEMPT_LIMIT,
    COOL_DOWN,
    Rollout,
    State,
    Step,
    caught_up,
    entered,
    next_step,
    stage_of,
    taken_back,
)
from tests.builders import NOW, a_finding, a_plan

HOUR = timedelta(hours=1)
FINE, DOUBT, BREACH = a_finding(), a_finding(Consequence.HOLD), a_finding(Consequence.ROLL_BACK)
IGNORED = a_finding(verdict=Verdict.INCONCLUSIVE)
REPORTED = a_finding(Consequence.REPORT)
FINDINGS = st.lists(st.sampled_from([FINE, DOUBT, BREACH, IGNORED, REPORTED]), max_size=5)
ROLLOUTS = st.builds(
    Rollout, st.sampled_from(State), st.integers(0, 6), st.one_of(st.none(), st.just(NOW)), st.booleans()
)
LATER = st.timedeltas(timedelta(0), timedelta(days=400)).map(lambda span: NOW + span)


def at_stage(stage=0, **changes):
    return Rollout(**{"state": State.RUNNING, "stage": stage, "entered_at": NOW, **changes})


@pytest.mark.parametrize(
    ("findings", "stage", "after", "step"),
    [
        ([FINE], 0, HOUR, Step.ADVANCE),
        ([FINE], 0, HOUR - timedelta(microseconds=1), Step.WAIT),
        ([FINE], 3, HOUR, Step.COMPLETE),
        ([FINE], 3, HOUR / 2, Step.WAIT),
        ([], 0, HOUR, Step.ADVANCE),
        ([FINE, DOUBT], 0, HOUR, Step.HOLD),
        ([FINE, DOUBT], 3, HOUR, Step.HOLD),
        ([DOUBT], 0, HOUR / 2, Step.HOLD),
        ([DOUBT, BREACH], 0, HOUR, Step.ROLL_BACK),
        ([FINE, BREACH], 0, timedelta(0), Step.ROLL_BACK),
        ([FINE, IGNORED], 0, HOUR, Step.WAIT),
        ([IGNORED], 3, HOUR, Step.WAIT),
        ([REPORTED], 0, HOUR, Step.HOLD),
        ([REPORTED, BREACH], 0, HOUR, Step.ROLL_BACK),
        ([FINE, REPORTED], 3, HOUR, Step.HOLD),
    ],
)
def test_a_running_rollout_takes_the_step_that_its_findings_and_its_time_allow(findings, stage, after, step):
    decision = next_step(a_plan(), at_stage(stage), findings, NOW + after)

    assert decision.step is step
    assert decision.because


@pytest.mark.parametrize(
    ("findings", "because"),
    [
        ([FINE], "stage 1 of 4 has baked and is healthy"),
        ([], "stage 1 of 4 has baked"),
    ],
)
def test_only_what_was_judged_is_called_healthy(findings, because):
    assert next_step(a_plan(), at_stage(), findings, NOW + HOUR).because == because


def test_a_stage_that_wants_approval_waits_for_it_and_for_nothing_else():
    plan = a_plan(approval=True)

    waiting = next_step(plan, at_stage(), [FINE], NOW + HOUR)

    assert (waiting.step, waiting.because) == (Step.WAIT, "waits for approval")
    assert next_step(plan, at_stage(approved=True), [FINE], NOW + HOUR).step is Step.ADVANCE


@pytest.mark.parametrize("findings", [[DOUBT], [BREACH], [IGNORED]])
def test_approval_overrules_no_finding(findings):
    step = next_step(a_plan(approval=True), at_stage(approved=True), findings, NOW + HOUR).step

    assert step not in {Step.ADVANCE, Step.COMPLETE}


def test_approval_does_not_shorten_the_bake():
    assert next_step(a_plan(approval=True), at_stage(approved=True), [FINE], NOW + HOUR / 2).step is Step.WAIT


@given(ROLLOUTS, FINDINGS, LATER, st.booleans())
def test_unhealthy_wins_in_every_state(rollout, findings, now, has_plan):
    decision = next_step(a_plan() if has_plan else None, rollout, [*findings, BREACH], now)

    assert decision.step is Step.ROLL_BACK
    assert decision.because == BREACH.sentence


@given(ROLLOUTS, FINDINGS, LATER)
def test_silence_and_doubt_never_advance(rollout, findings, now):
    for silence in (DOUBT, IGNORED):
        step = next_step(a_plan(), rollout, [*findings, silence], now).step
        assert step not in {Step.ADVANCE, Step.COMPLETE}


@given(ROLLOUTS.filter(lambda each: each.state is not State.RUNNING), FINDINGS, LATER)
def test_only_a_running_rollout_moves_on(rollout, findings, now):
    assert next_step(a_plan(), rollout, findings, now).step in {Step.WAIT, Step.ROLL_BACK}


def test_three_rollbacks_by_the_scheduler_lock_the_flag():
    rollout, states = at_stage(), []
    for _ in range(ATTEMPT_LIMIT):
        rollout = taken_back(rollout, NOW, automatic=True)
        states.append(rollout.state)
        rollout = entered(rollout, 0, NOW)

    assert states == [State.ROLLED_BACK, State.ROLLED_BACK, State.LOCKED]


def test_rollbacks_by_a_person_lock_nothing():
    rollout = at_stage(rollbacks=2)

    after = taken_back(rollout, NOW, automatic=False)

    assert (after.state, after.rollbacks) == (State.ROLLED_BACK, 2)


def test_what_was_taken_back_cools_down():
    after = taken_back(at_stage(approved=True), NOW, automatic=True)

    assert after.cools_down(NOW + COOL_DOWN - timedelta(seconds=1))
    assert not after.cools_down(NOW + COOL_DOWN)
    assert not after.approved


def test_entering_a_stage_asks_for_a_new_approval():
    assert not entered(at_stage(approved=True), 1, NOW).approved


def test_a_scheduler_that_slept_catches_up_stage_by_stage_in_one_change():
    after = caught_up(a_plan(), at_stage(), NOW + 2.5 * HOUR)

    assert (after.stage, after.entered_at) == (2, NOW + 2 * HOUR)


def test_catching_up_stops_at_the_last_stage_and_at_a_missing_approval():
    assert caught_up(a_plan(), at_stage(), NOW + timedelta(days=9)).stage == 3
    assert caught_up(a_plan(approval=True), at_stage(approved=True), NOW + timedelta(days=9)).stage == 1


@given(st.integers(0, 3), LATER)
def test_catching_up_never_goes_back_and_never_enters_a_stage_before_its_time(stage, now):
    before = at_stage(stage)
    after = caught_up(a_plan(), before, now)

    assert after.stage >= stage
    assert after == before or after.entered_at <= now


def test_a_plan_that_became_shorter_leaves_the_rollout_on_its_last_stage():
    assert stage_of(a_plan(1, 10), at_stage(3)).share == 10_000
    assert next_step(a_plan(1, 10), at_stage(3), [FINE], NOW + HOUR).step is Step.COMPLETE
