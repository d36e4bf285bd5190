"""Stages that set a mode: calls also go to the candidate, and what comes of the pairs decides how it goes on."""

from datetime import timedelta

import pytest

from controlplane.domain.errors import InvalidInput, Refused
from controlplane.domain.rollout import State
from controlplane.domain.routing import Mode
from controlplane.usecases import flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.telemetry import record_reports
from tests.builders import a_cause, a_cell, a_flag_document, a_report
from tests.controlplane.usecases.reporting import HERE, SEAL, Life

SHADOW_FIRST = (
    {"percent": 0, "bake_seconds": 60, "mode": "shadow", "shadow_percent": 5},
    {"percent": 1, "bake_seconds": 60, "mode": "single"},
    {"percent": 10, "bake_seconds": 60},
)


@pytest.fixture
def begin(store, lease):
    """A rollout on its first stage, and the life of a service beside it."""

    def begun(*stages, guardrails=None, **changes):
        document = a_flag_document(
            plan={"stages": list(stages or SHADOW_FIRST)}, guardrails=guardrails or {"min_samples": 100}, **changes
        )
        flags.create_flag(store, "production", document, a_cause())
        rollouts.start(store, HERE, a_cause())
        return Life(store, lease)

    return begun


def reported(life, buckets=8, **pairs):
    """The service answers from the baseline, and compares so many answers in each bucket."""
    life.live(buckets, baseline={"shadow": {"pairs": sum(pairs.values()), **pairs}}, assigned_by="shadow")


def waiting_for(life):
    return describe_flag(life.store, HERE, life.at + SEAL)["rollout"]["waiting_for"]


def modes(flag):
    return {each.mode for each in flag.operations.values()}


def test_entering_a_stage_sets_its_mode_and_going_back_sets_that_of_the_stage_before(store, begin):
    begin()

    entered = flags.get_flag(store, HERE).operations["echo"]
    assert (entered.share, entered.mode, entered.shadow_share) == (0, Mode.SHADOW, 5_000)

    rollouts.advance(store, HERE, a_cause())
    assert modes(rollouts.advance(store, HERE, a_cause())) == {Mode.SINGLE}

    rollouts.step_back(store, HERE, a_cause())
    assert modes(rollouts.step_back(store, HERE, a_cause())) == {Mode.SHADOW}


def test_a_shadow_stage_goes_on_when_it_has_baked_and_enough_answers_are_alike(store, begin):
    life = begin()

    reported(life, 3, match=50)
    assert flags.get_flag(store, HERE).rollout.stage == 0
    reported(life, 4, match=50)

    after = flags.get_flag(store, HERE)
    assert (after.rollout.stage, after.operations["echo"].share, modes(after)) == (1, 1_000, {Mode.SINGLE})
    with store.reading() as uow:
        entry = uow.audit.newest_by_flag(uow.environments.get("production").id)["dspex-bridge"]
    assert entry.reason.startswith("0 % (shadow) → 1 %: stage 1 of 3 has baked and is healthy")


def test_too_few_pairs_hold_the_stage_however_long_it_has_baked(store, begin):
    life = begin()

    reported(life, 20, match=2)

    assert flags.get_flag(store, HERE).rollout.stage == 0
    assert "of 100 answers were compared with those of snakepit" in waiting_for(life)


def test_answers_that_differ_hold_the_stage_and_never_roll_it_back(store, begin):
    life = begin()

    reported(life, 12, match=40, mismatch=10)

    after = flags.get_flag(store, HERE).rollout
    assert (after.state, after.stage) == (State.RUNNING, 0)
    assert "echo: 20 % of" in waiting_for(life).replace("\u202f", " ")
    assert "mode aa" in waiting_for(life)
    assert rollouts.advance(store, HERE, a_cause()).rollout.stage == 1


def test_a_candidate_that_fails_in_the_shadow_does_not_pass_for_one_that_was_not_compared(store, begin):
    life = begin()

    reported(life, 12, failed=50)

    assert flags.get_flag(store, HERE).rollout.stage == 0
    assert "differ from those of python_pool_v2" in waiting_for(life)


def test_answers_that_differ_no_more_often_than_the_baselines_own_hold_nothing(store, begin):
    life = begin()
    with store.writing() as uow:
        for name in ("echo", "simple_predict"):
            uow.examples.add_noise(1, ("dspex-bridge", name), (4_000, 1_000), life.at)
        uow.commit()

    reported(life, 12, match=40, mismatch=10)

    assert flags.get_flag(store, HERE).rollout.stage == 1


def test_pairs_are_counted_anew_when_a_stage_is_entered_again(store, begin):
    life = begin()
    reported(life, 12, match=40, mismatch=10)
    rollouts.advance(store, HERE, a_cause(life.at))
    rollouts.step_back(store, HERE, a_cause(life.at))

    reported(life, 12, match=50)

    assert flags.get_flag(store, HERE).rollout.stage == 1


def test_an_operation_that_is_never_shadowed_does_not_hold_the_others(store, begin):
    life = begin()

    for _ in range(9):
        life.sequence += 1
        _reads_only(life)
        life.look()

    assert flags.get_flag(store, HERE).rollout.stage == 1


def _reads_only(life):
    start = int(life.at.timestamp())
    cell = a_cell(side="baseline", backend="python_pool_v2", share=0, start=start, shadow={"pairs": 50, "match": 50})
    record_reports(life.store, [a_report(cell, sequence=life.sequence)], life.at)
    life.at += timedelta(seconds=10)


@pytest.mark.parametrize("act", [rollouts.abort, rollouts.roll_back])
@pytest.mark.parametrize(("mode", "left"), [("shadow", Mode.SINGLE), ("dual_write", Mode.DUAL_WRITE)])
def test_a_brake_ends_shadow_calls_and_lets_dual_writes_go_on(store, begin, act, mode, left):
    begin({"percent": 0, "bake_seconds": 60, "mode": mode}, {"percent": 5, "bake_seconds": 60})

    assert modes(act(store, HERE, a_cause())) == {left}


def test_a_brake_leaves_a_shadow_alone_that_no_plan_began(store):
    shadowed = {"echo": {"percent": 0, "mode": "shadow"}}
    flags.create_flag(store, "production", a_flag_document(operations=shadowed), a_cause())
    rollouts.start(store, HERE, a_cause())

    assert modes(rollouts.roll_back(store, HERE, a_cause())) == {Mode.SHADOW}


def test_a_mode_that_the_running_plan_sets_is_not_changed_by_hand(store, begin):
    begin()

    with pytest.raises(Refused, match="sets the mode of 'echo': pause it first"):
        flags.set_operation(store, HERE, "echo", {"percent": 0, "mode": "single"}, a_cause())

    rollouts.pause(store, HERE, a_cause())
    flags.set_operation(store, HERE, "echo", {"percent": 0, "mode": "single"}, a_cause())
    assert modes(rollouts.resume(store, HERE, a_cause())) == {Mode.SHADOW}


def test_a_shadow_stage_of_a_disabled_flag_learns_nothing_and_does_not_go_on(store, begin):
    life = begin()
    flags.disable_flag(store, HERE, a_cause())

    reported(life, match=50)

    assert flags.get_flag(store, HERE).rollout.stage == 0
    assert "the flag is disabled" in waiting_for(life)


def test_a_stage_that_cannot_be_entered_holds_the_one_before_and_says_why(store, begin):
    life = begin(
        {"percent": 0, "bake_seconds": 60, "mode": "shadow"}, {"percent": 0, "bake_seconds": 60, "mode": "dual_write"}
    )
    flags.set_operation(store, HERE, "echo", {"breaker": {"mode": "forced_open"}}, a_cause())

    reported(life, 12, match=50)

    assert flags.get_flag(store, HERE).rollout.stage == 0
    assert "operations.echo.breaker.mode" in waiting_for(life)


def test_a_stage_of_dual_writes_goes_on_by_time(store, begin):
    life = begin({"percent": 0, "bake_seconds": 60, "mode": "dual_write"}, {"percent": 5, "bake_seconds": 60})

    reported(life, 10)

    after = flags.get_flag(store, HERE)
    assert (after.rollout.stage, modes(after)) == (1, {Mode.DUAL_WRITE})


@pytest.mark.parametrize(
    ("stages", "field"),
    [
        ([{"percent": 0}], "plan.stages.0.percent"),
        ([{"percent": 0, "mode": "single"}], "plan.stages.0.percent"),
        ([{"percent": 1, "mode": "aa"}], "plan.stages.0.mode"),
        ([{"percent": 1}, {"percent": 5, "mode": "shadow"}], "plan.stages.0.mode"),
        ([{"percent": 1, "mode": "shadow"}, {"percent": 1, "mode": "shadow"}], "plan.stages.1.percent"),
        ([{"percent": 5, "mode": "shadow"}, {"percent": 1, "mode": "single"}], "plan.stages.1.percent"),
        ([{"percent": 0, "mode": "shadow", "shadow_percent": 0}], "plan.stages.0.shadow_percent"),
        ([{"percent": 1, "mode": "single", "shadow_percent": 5}], "plan.stages.0.shadow_percent"),
    ],
)
def test_a_plan_whose_modes_cannot_be_carried_out_is_refused_by_field(store, stages, field):
    plan = {"stages": [{"bake_seconds": 60, **stage} for stage in stages]}

    with pytest.raises(InvalidInput) as refused:
        flags.create_flag(store, "production", a_flag_document(plan=plan), a_cause())

    assert field in {error.field for error in refused.value.errors}
