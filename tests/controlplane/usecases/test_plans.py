"""Plans over weeks: starting later, going a stage back, operations that follow others, a second person."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.errors import InvalidInput, Refused
from controlplane.domain.rollout import COOL_DOWN, State
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document
from tests.controlplane.acting import scheduler_takes_back

HERE = Place("production", "dspex-bridge")
TOMORROW = NOW + timedelta(days=1)
BEA = Actor(ActorKind.PERSON, "bea@example.org")


@pytest.fixture
def begin(store):
    """A flag whose plan may be another, created; started where a test starts it."""

    def created(plan=None, **changes):
        document = a_flag_document(plan={**a_plan_document(), **(plan or {})}, **changes)
        return flags.create_flag(store, "production", document, a_cause())

    return created


def percents(flag):
    return {name: each.share / 1000 for name, each in flag.operations.items()}


def test_a_start_may_be_set_for_later(store, begin):
    begin()

    waiting = rollouts.start(store, HERE, a_cause(), TOMORROW)

    assert (waiting.rollout.state, waiting.rollout.start_at) == (State.SCHEDULED, TOMORROW)
    assert percents(waiting) == {"echo": 0, "simple_predict": 0}


def test_a_plan_with_a_date_starts_at_that_date(store, begin):
    begin({"start_at": TOMORROW.isoformat()})

    assert rollouts.start(store, HERE, a_cause()).rollout.state is State.SCHEDULED
    rollouts.abort(store, HERE, a_cause())
    assert rollouts.start(store, HERE, a_cause(TOMORROW)).rollout.state is State.RUNNING


def test_a_start_that_was_set_for_later_can_be_called_off(store, begin):
    begin(operations={"echo": {"percent": 3}, "simple_predict": {"percent": 0}})
    rollouts.start(store, HERE, a_cause(), TOMORROW)

    over = rollouts.abort(store, HERE, a_cause())

    assert (over.rollout.state, over.rollout.start_at) == (State.ABORTED, None)
    assert percents(over)["echo"] == 3  # what was set by hand is not the rollout's


def test_a_rollout_can_go_one_stage_back_and_bakes_there_anew(store, begin):
    begin()
    rollouts.start(store, HERE, a_cause())
    rollouts.advance(store, HERE, a_cause())

    back = rollouts.step_back(store, HERE, a_cause(TOMORROW))

    assert percents(back) == {"echo": 1, "simple_predict": 1}
    assert (back.rollout.state, back.rollout.stage, back.rollout.entered_at) == (State.RUNNING, 0, TOMORROW)
    with pytest.raises(Refused, match="at its first stage: roll back or abort"):
        rollouts.step_back(store, HERE, a_cause())


def test_a_paused_rollout_that_goes_back_stays_paused(store, begin):
    begin()
    rollouts.start(store, HERE, a_cause())
    rollouts.advance(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())

    assert rollouts.step_back(store, HERE, a_cause()).rollout.state is State.PAUSED


def test_an_operation_that_lags_follows_by_its_stages_until_it_has_come_through(store, begin):
    begin({"stages": a_plan_document(1, 10, 50)["stages"], "lags": {"simple_predict": 1}})
    seen = [percents(rollouts.start(store, HERE, a_cause()))]
    while (flag := rollouts.advance(store, HERE, a_cause())).rollout.state is State.RUNNING:
        seen.append(percents(flag))

    assert [each["echo"] for each in seen] == [1, 10, 50, 50]
    assert [each["simple_predict"] for each in seen] == [0, 1, 10, 50]
    assert flag.rollout.state is State.COMPLETED


def test_whoever_started_an_attempt_cannot_approve_it_where_two_are_wanted(store, begin):
    stages = [{"percent": 1, "bake_seconds": 60, "approval": True}, {"percent": 10, "bake_seconds": 60}]
    begin({"stages": stages, "two_person": True})
    rollouts.start(store, HERE, a_cause())

    with pytest.raises(Refused, match="wants a second person: ann"):
        rollouts.approve(store, HERE, a_cause())
    approved = rollouts.approve(store, HERE, replace(a_cause(), actor=BEA))

    assert (approved.rollout.approved, approved.rollout.approved_by) == (True, "bea@example.org")


@pytest.mark.parametrize("still_wanted", [True, False])
@pytest.mark.parametrize("verb", [rollouts.approve, rollouts.advance])
def test_whoever_changed_the_plan_after_the_start_has_had_a_hand_in_it(store, begin, verb, still_wanted):
    stages = [{"percent": 1, "bake_seconds": 60, "approval": True}, {"percent": 10, "bake_seconds": 60}]
    begin({"stages": stages, "two_person": True})
    rollouts.start(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())
    bea, cid = (replace(a_cause(), actor=Actor(ActorKind.PERSON, f"{name}@example.org")) for name in ("bea", "cid"))
    changed = [stages[0], {"percent": 90, "bake_seconds": 60}]
    flags.set_plan(store, HERE, {"stages": changed, "two_person": still_wanted}, bea)
    rollouts.resume(store, HERE, a_cause())

    with pytest.raises(Refused, match=r"wants a second person: bea.* changed the plan"):
        verb(store, HERE, bea)
    assert flags.get_flag(store, HERE).rollout.stage == 0
    verb(store, HERE, cid)

    entry = list_entries(store, "production", Filter(action="plan:set"), 1).items[0]
    assert ("rollout.replanned_by", ["bea@example.org"]) in [(each.path, each.after) for each in entry.changes]


def test_the_next_attempt_forgets_who_changed_the_plan_of_the_last_one(store, begin):
    begin({"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}], "two_person": True})
    rollouts.start(store, HERE, a_cause())
    rollouts.pause(store, HERE, a_cause())
    bea = replace(a_cause(), actor=BEA)
    flags.set_plan(
        store, HERE, {"stages": [{"percent": 2, "bake_seconds": 60, "approval": True}], "two_person": True}, bea
    )
    rollouts.abort(store, HERE, a_cause())
    rollouts.start(store, HERE, a_cause())

    assert rollouts.approve(store, HERE, bea).rollout.approved


def test_where_two_are_not_wanted_one_is_enough(store, begin):
    begin({"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}]})
    rollouts.start(store, HERE, a_cause())

    assert rollouts.approve(store, HERE, a_cause()).rollout.approved


def test_each_attempt_after_a_rollback_bakes_longer(store, begin):
    flag = begin()
    bakes = []
    for number in range(3):
        at = NOW + number * COOL_DOWN
        flag = rollouts.start(store, HERE, a_cause(at))
        bakes.append((flag.rollout.bakes_until(flag.plan) - at) / timedelta(weeks=1))
        scheduler_takes_back(store, HERE, at)

    assert bakes == [1, 2, 4]


def test_a_stage_may_ask_for_more_samples_than_the_guardrails(store, begin):
    begin({"stages": [{"percent": 1, "bake_seconds": 60, "min_samples": 5000}, {"percent": 10, "bake_seconds": 60}]})

    def wanted(flag):
        return flag.guardrails_of("echo").min_samples

    assert wanted(rollouts.start(store, HERE, a_cause())) == 5000
    assert wanted(rollouts.advance(store, HERE, a_cause())) == 100


ORDER = [{"operation": "simple_predict", "not_above": "echo"}]


def test_a_change_against_the_order_is_refused_and_changes_nothing(store, begin):
    before = begin(constraints=ORDER)

    with pytest.raises(InvalidInput, match="raise 'echo' first, or lower 'simple_predict'"):
        flags.set_operation(store, HERE, "simple_predict", {"percent": 5}, a_cause())

    assert flags.get_flag(store, HERE) == before


def test_a_rollback_of_one_operation_takes_its_followers_along(store, begin):
    begin(constraints=ORDER, operations={"echo": {"percent": 10}, "simple_predict": {"percent": 5}})

    after = rollouts.roll_back(store, HERE, a_cause(), "echo")

    assert percents(after) == {"echo": 0, "simple_predict": 0}
    assert not after.operations["simple_predict"].rolled_back


def test_a_plan_does_not_raise_a_follower_above_what_was_taken_back(store, begin):
    begin(constraints=ORDER)
    rollouts.start(store, HERE, a_cause())
    rollouts.roll_back(store, HERE, a_cause(), "echo")

    assert percents(rollouts.advance(store, HERE, a_cause())) == {"echo": 0, "simple_predict": 0}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"plan": {"lags": {"nothing": 1}}}, "plan.lags.nothing", "not an operation that this plan moves"),
        ({"plan": {"lags": {"echo": -1}}}, "plan.lags.echo", "a number of stages between 0 and 99"),
        ({"plan": {"lags": {"echo": 1, "simple_predict": 2}}}, "plan.lags", "one of them has to go first"),
        ({"plan": {"lags": {"echo": 1}}, "constraints": ORDER}, "plan.lags.simple_predict", "must be at least 1"),
        ({"plan": {"start_at": "tomorrow"}}, "plan.start_at", "an instant with its offset"),
        ({"plan": {"start_at": "2026-01-31T12:00:00"}}, "plan.start_at", "an instant with its offset"),
        ({"plan": {"windows": [{"opens": "9", "closes": "17:00"}]}}, "plan.windows.0.opens", 'a time like "09:00"'),
        (
            {"plan": {"windows": [{"opens": "09:00", "closes": "17:00", "zone": "Mars/Olympus"}]}},
            "plan.windows.0.zone",
            "is no time zone",
        ),
        ({"plan": {"windows": [{"opens": "09:00", "closes": "17:00", "days": []}]}}, "plan.windows.0.days", "at least"),
        ({"plan": {"windows": [{"opens": "09:00", "closes": "17:00", "days": ["monday"]}]}}, "days.0", "'mon'"),
        ({"constraints": [{"operation": "echo", "not_above": "x"}]}, "constraints.0.not_above", "not an operation"),
        ({"constraints": [{"operation": "echo", "not_above": "echo"}]}, "constraints", "go round in a circle"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_the_fields_name(store, begin, changes, field, sentence):
    with pytest.raises(InvalidInput) as refused:
        begin(**changes)

    assert any(each.field.endswith(field) and sentence in each.message for each in refused.value.errors)
    assert flags.list_flags(store, "production") == []
