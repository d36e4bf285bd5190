from datetime import timedelta

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.rollout import COOL_DOWN, State
from controlplane.domain.share import FULL
from controlplane.usecases import finishing, flags, rollouts
from controlplane.usecases.changing import Place
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.acting import lock, scheduler_takes_back

HERE = Place("production", "dspex-bridge")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


@pytest.fixture
def started(store, flag):
    return rollouts.start(store, HERE, a_cause())


def shares(flag):
    return [each.share for each in flag.operations.values()]


def test_start_enters_the_first_stage_in_a_new_attempt(started):
    assert shares(started) == [1000, 1000]
    assert (started.rollout.state, started.rollout.stage, started.rollout.attempt) == (State.RUNNING, 0, 1)
    assert started.rollout.entered_at == NOW


def test_start_moves_only_the_operations_of_the_plan(store):
    plan = {**a_plan_document(), "operations": ["echo"]}
    flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())

    assert shares(rollouts.start(store, HERE, a_cause())) == [1000, 0]


@pytest.mark.parametrize(
    ("document", "because"),
    [
        (a_flag_document(enabled=False), "is disabled: enable it"),
        (a_flag_document(plan=None), "has no rollout plan"),
        (a_flag_document(operations={}), "has no operation to roll out"),
    ],
)
def test_start_is_refused_where_there_is_nothing_to_start(store, document, because):
    flags.create_flag(store, "production", document, a_cause())

    with pytest.raises(Refused, match=because):
        rollouts.start(store, HERE, a_cause())


def test_start_is_refused_while_one_runs_or_is_paused(store, started):
    with pytest.raises(Refused, match="is running already"):
        rollouts.start(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())
    with pytest.raises(Refused, match="is paused already"):
        rollouts.start(store, HERE, a_cause())


def test_start_is_refused_while_it_cools_down_and_allowed_after(store, started):
    rollouts.roll_back(store, HERE, a_cause())

    with pytest.raises(Refused, match="cools down until 2026-01-05 09:30 UTC"):
        rollouts.start(store, HERE, a_cause(NOW + COOL_DOWN - timedelta(seconds=1)))
    again = rollouts.start(store, HERE, a_cause(NOW + COOL_DOWN))

    assert (again.rolled_back, again.rollout.attempt, shares(again)) == (False, 2, [1000, 1000])


def test_the_third_rollback_by_the_scheduler_locks_until_somebody_unlocks(store, flag):
    at = NOW
    for _ in range(3):
        rollouts.start(store, HERE, a_cause(at))
        locked = scheduler_takes_back(store, HERE, at)
        at += COOL_DOWN

    assert locked.rollout.state is State.LOCKED
    with pytest.raises(Refused, match="rolled back 3 times and is locked"):
        rollouts.start(store, HERE, a_cause(at + timedelta(days=30)))
    assert rollouts.unlock(store, HERE, a_cause(at)).rollout.rollbacks == 0
    assert rollouts.start(store, HERE, a_cause(at)).rollout.state is State.RUNNING


def test_unlock_waits_until_the_rollout_is_paused(store, started):
    rollouts.roll_back(store, HERE, a_cause(), "echo")

    with pytest.raises(Refused, match="pause or abort it before unlocking"):
        rollouts.unlock(store, HERE, a_cause())

    rollouts.pause(store, HERE, a_cause())
    assert not rollouts.unlock(store, HERE, a_cause()).operations["echo"].rolled_back


def test_a_completed_rollout_makes_good_for_rollbacks_before_it(store, flag):
    rollouts.start(store, HERE, a_cause())
    scheduler_takes_back(store, HERE)
    again = rollouts.start(store, HERE, a_cause(LATER))
    assert again.rollout.rollbacks == 1

    for _ in range(4):
        done = rollouts.advance(store, HERE, a_cause(LATER))

    assert done.rollout.state is State.COMPLETED
    assert done.rollout.rollbacks == 0


def test_unlock_ends_a_cool_down_clears_the_marks_and_leaves_shares_at_zero(store, started):
    rollouts.roll_back(store, HERE, a_cause())

    free = rollouts.unlock(store, HERE, a_cause())

    assert (free.rolled_back, free.rollout.state, shares(free)) == (False, State.IDLE, [0, 0])
    assert rollouts.start(store, HERE, a_cause()).rollout.attempt == 2


def test_rolling_back_sends_everything_to_the_baseline_and_leaves_the_flag_enabled(store, started):
    after = rollouts.roll_back(store, HERE, a_cause())

    assert (after.rolled_back, after.enabled, shares(after)) == (True, True, [0, 0])
    assert after.rollout.state is State.ROLLED_BACK


def to_the_end(store):
    rollouts.start(store, HERE, a_cause())
    for _ in range(4):
        rollouts.advance(store, HERE, a_cause())


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        ("idle", [lambda store: flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause())]),
        ("paused", [lambda store: rollouts.start(store, HERE, a_cause()), lambda store: rollouts.pause(store, HERE, a_cause())]),
        ("aborted", [lambda store: rollouts.start(store, HERE, a_cause()), lambda store: rollouts.abort(store, HERE, a_cause())]),
        ("completed", [to_the_end]),
        ("finished", [to_the_end, lambda store: finishing.finish(store, HERE, a_cause())]),
        ("locked", [lambda store: lock(store, HERE)]),
    ],
)  # fmt: skip
def test_rolling_back_works_in_every_state(store, flag, state, acts):
    for act in acts:
        act(store)

    assert flags.get_flag(store, HERE).rollout.state == state
    assert rollouts.roll_back(store, HERE, a_cause()).rolled_back


def test_rolling_back_twice_is_one_rollback(store, started):
    first = rollouts.roll_back(store, HERE, a_cause())

    assert rollouts.roll_back(store, HERE, a_cause(LATER)) == first


def test_one_operation_is_rolled_back_on_its_own_and_the_others_go_on(store, started):
    after = rollouts.roll_back(store, HERE, a_cause(), "echo")

    assert (after.rolled_back, after.rollout.state) == (False, State.RUNNING)
    assert after.operations["echo"].rolled_back
    assert shares(rollouts.advance(store, HERE, a_cause())) == [0, 10_000]


def test_an_operation_that_came_back_gets_its_share_when_the_stage_is_applied_again(store, started):
    rollouts.roll_back(store, HERE, a_cause(), "echo")
    rollouts.pause(store, HERE, a_cause())
    rollouts.unlock(store, HERE, a_cause())

    assert shares(rollouts.resume(store, HERE, a_cause())) == [1000, 1000]


def test_a_share_set_behind_a_mark_does_not_outlive_a_rollback(store, started):
    rollouts.roll_back(store, HERE, a_cause(), "echo")
    rollouts.pause(store, HERE, a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 90}, a_cause())
    rollouts.roll_back(store, HERE, a_cause())

    assert shares(rollouts.unlock(store, HERE, a_cause())) == [0, 0]


def test_resume_applies_the_stage_again_and_bakes_anew(store, started):
    rollouts.pause(store, HERE, a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 42}, a_cause())

    after = rollouts.resume(store, HERE, a_cause(LATER))

    assert (shares(after), after.rollout.entered_at, after.rollout.attempt) == ([1000, 1000], LATER, 1)


def test_a_plan_edited_while_paused_is_the_one_that_is_resumed(store, started):
    rollouts.advance(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())
    flags.set_plan(store, HERE, a_plan_document(3), a_cause())

    after = rollouts.resume(store, HERE, a_cause())

    assert (shares(after), after.rollout.stage) == ([3000, 3000], 0)


def test_advancing_by_hand_goes_stage_by_stage_to_completed(store, started):
    seen = [rollouts.advance(store, HERE, a_cause()) for _ in range(4)]

    assert [shares(each)[0] for each in seen] == [10_000, 50_000, 98_000, 98_000]
    assert seen[-1].rollout.state is State.COMPLETED


def test_finish_gives_everything_to_the_candidate_and_only_at_the_end(store, started):
    with pytest.raises(Refused, match="finish from the last one"):
        finishing.finish(store, HERE, a_cause())
    for _ in range(3):
        rollouts.advance(store, HERE, a_cause())

    after = finishing.finish(store, HERE, a_cause())

    assert (shares(after), after.rollout.state) == ([FULL, FULL], State.FINISHED)


def test_approval_is_given_once_and_only_where_it_is_asked_for(store):
    plan = {"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}, {"percent": 5, "bake_seconds": 60}]}
    flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())
    rollouts.start(store, HERE, a_cause())

    assert rollouts.approve(store, HERE, a_cause()).rollout.approved
    assert not rollouts.advance(store, HERE, a_cause()).rollout.approved
    with pytest.raises(Refused, match="stage 2 of 'dspex-bridge' does not wait for approval"):
        rollouts.approve(store, HERE, a_cause())


def test_abort_takes_the_planned_operations_back_without_a_cool_down(store, started):
    after = rollouts.abort(store, HERE, a_cause())

    assert (shares(after), after.rolled_back, after.rollout.state) == ([0, 0], False, State.ABORTED)
    assert rollouts.start(store, HERE, a_cause()).rollout.attempt == 2


@pytest.mark.parametrize("act", [rollouts.pause, rollouts.resume, rollouts.advance, rollouts.approve, finishing.finish])
def test_what_needs_a_rollout_is_refused_without_one(store, flag, act):
    with pytest.raises(Refused, match=r"the rollout of 'dspex-bridge' is idle"):
        act(store, HERE, a_cause())


def test_pausing_and_aborting_twice_change_nothing_more(store, started):
    paused = rollouts.pause(store, HERE, a_cause())
    assert rollouts.pause(store, HERE, a_cause(LATER)) == paused
    aborted = rollouts.abort(store, HERE, a_cause())
    assert rollouts.abort(store, HERE, a_cause(LATER)) == aborted


def test_a_stage_that_was_switched_off_bakes_anew_when_it_is_switched_on(store, started):
    flags.disable_flag(store, HERE, a_cause())

    after = flags.enable_flag(store, HERE, a_cause(LATER))

    assert (after.rollout.state, after.rollout.entered_at) == (State.RUNNING, LATER)
