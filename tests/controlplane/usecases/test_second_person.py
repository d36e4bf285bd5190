"""Where a plan wants two people, its approvals cannot be taken out of it by those who have a hand in the attempt."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.errors import InvalidInput, Refused
from controlplane.domain.rollout import State
from controlplane.domain.snapshot import Clockwork
from controlplane.usecases import appointments, finishing, flags, rollouts
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document

HERE = Place("production", "dspex-bridge")
HOUR = timedelta(hours=1)
ANN, BEA, CID = (f"{name}@example.org" for name in ("ann", "bea", "cid"))


def by(name: str, at=NOW):
    return replace(a_cause(at), actor=Actor(ActorKind.PERSON, name))


def stages(*told: str) -> list[dict]:
    """ "10!" is a stage at 10 % that asks for an approval."""
    return [{"percent": float(each.rstrip("!")), "bake_seconds": 3600, "approval": each.endswith("!")} for each in told]


@pytest.fixture
def paused(store):
    """Ann started it, and it is paused at its first stage; the second one asks for an approval."""
    plan = {"stages": stages("1", "10!", "50", "98"), "two_person": True}
    flags.create_flag(store, "production", a_flag_document(plan=plan, guardrails=None), by(ANN))
    rollouts.start(store, HERE, by(ANN))
    return rollouts.pause(store, HERE, by(ANN))


def replan(store, name, *told, **more):
    document = {"stages": stages(*told), "two_person": True, **more}
    return flags.set_plan(store, HERE, document, by(name)).rollout


def waits(store, at) -> str:
    return describe_flag(store, HERE, at)["rollout"]["waiting_for"]


@pytest.mark.parametrize(
    ("told", "more"),
    [
        (("1", "10", "50", "98"), {}),
        (("1", "10"), {}),
        (("1", "50!", "98"), {}),
        (("1", "10", "50", "98"), {"two_person": False}),
        (("1", "10!", "50", "98"), {"operations": ["echo"]}),
        (("1", "10!", "50", "98"), {"lags": {"echo": 1}}),
    ],
    ids=["taken off", "cut off", "moved up", "with the wish", "for one operation", "for one that lags"],
)
def test_an_approval_that_a_plan_lost_on_the_way_is_owed(store, paused, lease, told, more):
    lost = told[1:2] != ("10!",) or "operations" in more
    assert replan(store, BEA, *told, **more).lost_approval is lost
    rollouts.resume(store, HERE, by(BEA))

    tick(store, lambda: NOW + HOUR, Clockwork(), lease)

    assert flags.get_flag(store, HERE).rollout.stage == (0 if lost else 1)
    if lost:
        assert "a second person has to approve leaving this stage" in waits(store, NOW + HOUR)


def test_what_is_owed_is_paid_by_a_second_person_alone_and_once(store, paused, lease):
    replan(store, BEA, "1", "10", "50", "98")
    rollouts.resume(store, HERE, by(BEA))

    for name, verb in ((ANN, rollouts.approve), (BEA, rollouts.approve), (ANN, rollouts.advance)):
        with pytest.raises(Refused, match=f"wants a second person: {name}"):
            verb(store, HERE, by(name))
    assert describe_flag(store, HERE, NOW)["rollout"]["asks_approval"]
    rollouts.approve(store, HERE, by(CID))
    assert not describe_flag(store, HERE, NOW)["rollout"]["asks_approval"]
    tick(store, lambda: NOW + HOUR, Clockwork(), lease)

    entered = flags.get_flag(store, HERE).rollout
    assert (entered.stage, entered.lost_approval) == (1, False)
    assert rollouts.advance(store, HERE, by(ANN)).rollout.stage == 2


@pytest.mark.parametrize("told", [("1", "10!", "50!", "98"), ("1!", "50", "98"), ("1", "5!", "10!", "98"), ("1", "5!")])
def test_a_plan_that_asks_earlier_or_more_often_owes_nothing(store, paused, told):
    assert not replan(store, BEA, *told).lost_approval


def test_taking_the_wish_out_first_and_the_approval_afterwards_is_no_way_round(store, paused):
    assert not replan(store, BEA, "1", "10!", "98", two_person=False).lost_approval

    assert replan(store, BEA, "1", "10", "98", two_person=False).lost_approval
    rollouts.resume(store, HERE, by(BEA))
    with pytest.raises(Refused, match=r"ann@example\.org started"):
        rollouts.advance(store, HERE, by(ANN))


def test_while_an_approval_is_owed_nobody_with_a_hand_in_it_raises_a_percent(store, paused, lease):
    replan(store, BEA, "60", "98")

    with pytest.raises(Refused, match="somebody else has to raise a percent"):
        rollouts.resume(store, HERE, by(BEA))
    with pytest.raises(Refused, match="somebody else has to raise a percent"):
        flags.set_operation(store, HERE, "echo", {"percent": 60}, by(ANN))
    assert flags.get_flag(store, HERE).largest_share == 1000
    wish = {"deed": "percent", "operation": "echo", "percent": 60, "at": (NOW + HOUR).isoformat()}
    appointments.make_appointment(store, HERE, wish, by(BEA))
    tick(store, lambda: NOW + HOUR, Clockwork(), lease)
    assert flags.get_flag(store, HERE).largest_share == 1000
    flags.disable_flag(store, HERE, by(BEA))
    flags.enable_flag(store, HERE, by(BEA))

    assert rollouts.resume(store, HERE, by(CID)).largest_share == 60_000


def test_finishing_from_a_last_stage_that_asks_is_no_way_round_either(store):
    plan = {"stages": stages("1!"), "two_person": True}
    flags.create_flag(store, "production", a_flag_document(plan=plan, guardrails=None), by(ANN))
    rollouts.start(store, HERE, by(ANN))

    with pytest.raises(Refused, match="wants a second person"):
        finishing.finish(store, HERE, by(ANN))
    assert finishing.finish(store, HERE, by(CID)).rollout.state is State.FINISHED


def test_one_person_is_free_where_no_second_one_was_ever_wanted(store):
    plan = {"stages": stages("1!", "98")}
    flags.create_flag(store, "production", a_flag_document(plan=plan, guardrails=None), by(ANN))
    rollouts.start(store, HERE, by(ANN))
    rollouts.pause(store, HERE, by(ANN))

    assert not replan(store, BEA, "1", "98", two_person=False).lost_approval
    assert rollouts.resume(store, HERE, by(BEA)).rollout.state is State.RUNNING


def test_the_next_attempt_owes_nothing_of_the_last_one(store, paused):
    replan(store, BEA, "1", "10", "98")
    rollouts.abort(store, HERE, by(BEA))

    assert not rollouts.start(store, HERE, by(BEA)).rollout.lost_approval


PERCENTS = ("1", "2", "5", "10", "10!", "50", "50!", "98")
ACTS = st.one_of(
    st.sampled_from(["pause", "resume", "advance", "approve", "step_back", "finish", "tick"]),
    st.lists(st.sampled_from(PERCENTS), min_size=1, max_size=4),  # a plan, for which the rollout is paused
)
VERBS = {name: getattr(rollouts, name) for name in ("pause", "resume", "advance", "approve", "step_back")}
_numbers = count()


def _act(store, place, act, name, at, lease) -> None:
    if act == "tick":
        tick(store, lambda: at, Clockwork(), lease)
    elif isinstance(act, str):
        {**VERBS, "finish": finishing.finish}[act](store, place, by(name, at))
    else:
        rollouts.pause(store, place, by(name, at))
        document = {"stages": stages(*act), "two_person": name == ANN}
        flags.set_plan(store, place, document, by(name, at))
        rollouts.resume(store, place, by(name, at))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(ACTS, st.sampled_from([ANN, BEA])), max_size=10))
def test_two_people_with_a_hand_in_it_never_pass_the_approval_without_a_third(sqlite_store, acts):
    store, place = sqlite_store, Place("production", f"flag-{next(_numbers)}")
    lease = lead(store, "test", NOW, timedelta(days=9))
    plan = {"stages": stages("1", "5", "10!", "50", "98"), "two_person": True}
    flags.create_flag(store, "production", a_flag_document(key=place.flag, plan=plan, guardrails=None), by(ANN))
    rollouts.start(store, place, by(ANN))
    _act(store, place, ("1", "5", "10!", "60", "98"), BEA, NOW, lease)

    for number, (act, name) in enumerate(acts, 1):
        with suppress(Refused, InvalidInput):
            _act(store, place, act, name, NOW + 2 * number * HOUR, lease)
        flag = flags.get_flag(store, place)
        assert flag.largest_share <= 10_000
        assert flag.rollout.state in {State.RUNNING, State.PAUSED}
    rollouts.abort(store, place, by(CID))
