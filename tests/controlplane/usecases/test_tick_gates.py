"""What a tick must never do by itself, and what one flag's trouble may not do to another."""

from datetime import timedelta

import pytest

from controlplane.domain.audit import Action
from controlplane.domain.rollout import State, Step
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import flags, rollouts, ticking
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_plan_document, a_report

HERE = Place("production", "dspex-bridge")
ONE = {"operations": {"echo": {"percent": 0}}, "plan": a_plan_document(1, 10, 50, bake_seconds=60)}
SOON, LATE = NOW + timedelta(seconds=30), NOW + timedelta(hours=1)


@pytest.fixture
def begin(store):
    """A flag of one operation, started; any field of its document may be another."""

    def started(**changes):
        document = a_flag_document(**{**ONE, **changes})
        flags.create_flag(store, "production", document, a_cause())
        return rollouts.start(store, Place("production", document["key"]), a_cause())

    return started


@pytest.fixture
def look(store, lease):
    return lambda at: tick(store, lambda: at, Clockwork(), lease)


def report(store, at, *, sequence, share=1000, baseline=None, **candidate):
    """Both sides of `echo`, of which the candidate or the baseline may be as bad as said."""
    common = {"start": int(at.timestamp()) // 10 * 10, "share": share}
    cells = [
        a_cell(**common, **candidate),
        a_cell(**common, side="baseline", backend="python_pool_v2", calls=400, **baseline or {}),
    ]
    record_reports(store, [a_report(*cells, sequence=sequence)], at)


@pytest.mark.parametrize("guardrails", [None, {"min_samples": 0}])
def test_a_disabled_flag_does_not_move_on_with_time(store, begin, look, guardrails):
    begin(guardrails=guardrails)
    flags.disable_flag(store, HERE, a_cause())

    assert look(LATE).steps == ()
    assert flags.get_flag(store, HERE).rollout.stage == 0


def test_a_flag_that_is_enabled_again_bakes_its_stage_anew(store, begin, look):
    begin(guardrails=None)
    flags.disable_flag(store, HERE, a_cause())
    flags.enable_flag(store, HERE, a_cause(LATE))

    assert look(LATE + timedelta(seconds=59)).steps == ()
    assert look(LATE + timedelta(seconds=60)).steps == (("production", "dspex-bridge", Step.ADVANCE),)
    assert flags.get_flag(store, HERE).rollout.stage == 1


def test_a_plan_whose_every_operation_was_taken_back_does_not_move_on(store, begin, look):
    begin(guardrails=None)
    rollouts.roll_back(store, HERE, a_cause(), "echo")

    assert look(LATE).steps == ()


@pytest.mark.parametrize("setting", ["hold", "ignore"])
def test_silence_never_advances_whatever_it_is_set_to(store, begin, look, setting):
    kinds = dict.fromkeys(("no_telemetry", "too_few", "one_side"), setting)
    begin(guardrails={"min_samples": 0, "on_silence": kinds})

    assert [look(at).steps for at in (SOON, LATE)] == [(), ()]


def test_a_rollout_that_goes_back_on_silence_gets_the_time_to_be_heard(store, begin, look):
    begin(guardrails={"on_silence": {"no_telemetry": "rollback", "too_few": "rollback"}})

    assert look(SOON).steps == ()
    assert look(LATE).steps == (("production", "dspex-bridge", Step.ROLL_BACK),)


def test_a_paused_rollout_does_not_advance_and_is_still_taken_back(store, begin, look):
    begin()
    rollouts.pause(store, HERE, a_cause())
    assert look(LATE).steps == ()

    report(store, LATE, sequence=1, errors={"timeout": 60})

    assert look(LATE + timedelta(seconds=60)).steps == (("production", "dspex-bridge", Step.ROLL_BACK),)


def test_a_completed_rollout_is_still_taken_back(store, begin, look):
    begin(guardrails={"min_samples": 0})
    for _ in range(3):
        rollouts.advance(store, HERE, a_cause())
    assert flags.get_flag(store, HERE).rollout.state is State.COMPLETED
    report(store, NOW, sequence=1, share=50_000, errors={"timeout": 60})

    assert look(NOW + timedelta(seconds=60)).steps == (("production", "dspex-bridge", Step.ROLL_BACK),)


def test_lowering_a_share_during_an_incident_on_both_sides_takes_nothing_back(store, look):
    flags.create_flag(store, "production", a_flag_document(operations={"echo": {"percent": 50}}, plan=None), a_cause())
    for number in range(3):
        at = NOW + timedelta(seconds=10 * number)
        report(
            store, at, sequence=number + 1, share=50_000, errors={"timeout": 50}, baseline={"errors": {"timeout": 200}}
        )
    assert look(NOW + timedelta(seconds=60)).steps == ()

    flags.set_operation(store, HERE, "echo", {"percent": 10}, a_cause(NOW + timedelta(seconds=61)))

    assert look(NOW + timedelta(seconds=65)).steps == ()


def test_only_the_unhealthy_operation_is_taken_back_where_the_flag_says_so(store, begin, look):
    both = {"operations": {"echo": {}, "other": {}}, "guardrails": {"rollback_scope": "operation"}}
    begin(**both)
    report(store, NOW, sequence=1, errors={"timeout": 60})

    look(NOW + timedelta(seconds=60))

    flag = flags.get_flag(store, HERE)
    assert (flag.rolled_back, flag.rollout.state) == (False, State.RUNNING)
    assert [(each.share, each.rolled_back) for each in flag.operations.values()] == [(0, True), (1000, False)]


def test_an_approval_is_the_last_gate(store, look, begin):
    stages = [{"percent": 1, "bake_seconds": 60, "approval": True}, {"percent": 50, "bake_seconds": 60}]
    begin(guardrails=None, plan={"stages": stages})

    assert look(LATE).steps == ()
    rollouts.approve(store, HERE, a_cause(LATE))
    assert look(LATE).steps == (("production", "dspex-bridge", Step.ADVANCE),)


def test_for_an_approval_is_asked_once_a_stage_by_an_entry_that_changes_nothing(store, look, begin):
    stages = [{"percent": each, "bake_seconds": 60, "approval": True} for each in (1, 50, 98)]
    begin(guardrails=None, plan={"stages": stages})
    version = flags.get_flag(store, HERE).version
    for seconds in (30, 70, 75, 80):
        look(NOW + timedelta(seconds=seconds))
    assert [each.reason for each in asked(store)] == ["waits for approval"]
    assert flags.get_flag(store, HERE).version == version

    rollouts.approve(store, HERE, a_cause(NOW + timedelta(seconds=85)))
    for seconds in (90, 100, 160, 170):
        look(NOW + timedelta(seconds=seconds))
    assert len(asked(store)) == 2

    rollouts.step_back(store, HERE, a_cause(NOW + timedelta(seconds=180)))
    for seconds in (185, 250):
        look(NOW + timedelta(seconds=seconds))
    assert len(asked(store)) == 3  # the first stage has baked once more


def asked(store):
    return list_entries(store, "production", Filter(action=Action.ROLLOUT_ASK)).items


def test_the_last_stage_completes_and_keeps_its_share(store, begin, look):
    begin(guardrails=None, plan=a_plan_document(98, bake_seconds=60))

    assert look(LATE).steps == (("production", "dspex-bridge", Step.COMPLETE),)
    flag = flags.get_flag(store, HERE)
    assert (flag.rollout.state, flag.operations["echo"].share) == (State.COMPLETED, 98_000)


def test_one_flag_that_cannot_be_judged_does_not_stop_the_next(store, begin, look, monkeypatch, caplog):
    begin(guardrails=None, key="a-broken-one")
    begin(guardrails=None)
    original = ticking.look_at

    def fails_for_one(uow, environment, flag, *rest):
        if flag.key == "a-broken-one":
            raise RuntimeError("no such luck")
        return original(uow, environment, flag, *rest)

    monkeypatch.setattr(ticking, "look_at", fails_for_one)
    seen = look(LATE)

    assert (seen.judged, seen.failures) == (2, 1)
    assert seen.steps == (("production", "dspex-bridge", Step.ADVANCE),)
    assert "'a-broken-one' of 'production' could not be judged" in caplog.text


def test_a_person_who_is_faster_than_the_scheduler_wins(store, begin, look, monkeypatch):
    begin(guardrails=None)
    original = ticking.next_step

    def overtaken(*args):
        monkeypatch.undo()
        rollouts.pause(store, HERE, a_cause())
        return original(*args)

    monkeypatch.setattr(ticking, "next_step", overtaken)

    assert look(LATE).steps == ()
    assert flags.get_flag(store, HERE).rollout.state is State.PAUSED


def test_three_attempts_that_fail_lock_the_flag(store, begin, look):
    begin()
    at = NOW
    for number in range(1, 4):
        report(store, at, sequence=number, attempt=number, errors={"timeout": 60})
        look(at + timedelta(seconds=60))
        at += timedelta(hours=1)
        if number < 3:
            assert flags.get_flag(store, HERE).rollout.state is State.ROLLED_BACK
            rollouts.start(store, HERE, a_cause(at))

    flag = flags.get_flag(store, HERE)
    assert (flag.rollout.state, flag.rollout.rollbacks) == (State.LOCKED, 3)
    actors = [entry.actor.kind for entry in list_entries(store, "production", Filter(action="rollout:roll_back")).items]
    assert actors == ["scheduler"] * 3
    assert verify(store, "production").broken is None


def test_the_evidence_of_an_attempt_does_not_follow_the_flag_into_the_next(store, begin, look):
    begin()
    report(store, NOW, sequence=1, errors={"timeout": 60})
    look(NOW + timedelta(seconds=60))
    rollouts.start(store, HERE, a_cause(LATE))

    report(store, LATE, sequence=2, attempt=2)

    assert look(LATE + timedelta(seconds=60)).steps == ()
    with store.reading() as uow:
        watch = uow.watches.get(1, "dspex-bridge")
    assert (watch.attempt, watch.evidence["echo"].candidate_bad_keys) == (2, 0)
