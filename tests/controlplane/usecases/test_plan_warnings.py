"""A plan that promises what it cannot keep is warned about, with the reason."""

from datetime import timedelta

import pytest

from controlplane.domain.access import Role
from controlplane.domain.errors import InvalidInput
from controlplane.usecases import flags, freezes, people
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document

HERE = Place("production", "dspex-bridge")
APPROVED = {"stages": [{"percent": 1, "bake_seconds": 600, "approval": True}], "two_person": True}


@pytest.fixture
def warned(store):
    def warnings(**changes):
        flags.create_flag(store, "production", a_flag_document(**changes), a_cause())
        return describe_flag(store, HERE, NOW)["rollout"]["warnings"]

    return warnings


def test_a_stage_that_ends_before_the_guardrails_have_seen_a_window_is_named(warned):
    guardrails = {**a_flag_document()["guardrails"], "window_seconds": 3600}
    stages = [{"percent": 1, "bake_seconds": 0}, {"percent": 10, "bake_seconds": 3600}]

    found = warned(guardrails=guardrails, plan={"stages": stages})

    assert len(found) == 1
    assert found[0].startswith("Stage 1 is over at once, before the guardrails have seen one window of 60\u202fmin")


def test_a_plan_that_has_the_time_is_not_warned_about(warned):
    assert warned() == []


@pytest.mark.parametrize(("days", "is_for_ever"), [(30, False), (5000, True)])
def test_freezes_that_together_never_end_are_named(store, warned, days, is_for_ever):
    for first, last in ((0, 20), (10, days)):
        told = {"name": f"until day {last}", "starts_at": _day(first), "ends_at": _day(last)}
        freezes.add_freeze(store, "production", told, a_cause())

    found = warned()

    assert bool(found) == is_for_ever
    assert not is_for_ever or "'until day 5000' leaves it no open hour" in found[0]


def _day(number):
    return (NOW + timedelta(days=number)).isoformat()


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        ([], "nobody may operate in 'production'"),
        ([Role.OPERATOR, Role.VIEWER], "1 may operate in 'production'"),
        ([Role.OPERATOR, Role.ADMIN], None),
    ],
)
def test_an_approval_that_nobody_could_give_is_named(store, warned, roles, sentence):
    for number, role in enumerate(roles):
        people.add_person(store, f"person-{number}@example.org", role, a_cause())

    found = warned(plan=APPROVED)

    assert [sentence in each for each in found] == ([True] if sentence else [])


def test_one_person_is_enough_where_two_are_not_asked_for(warned):
    assert warned(plan={**APPROVED, "two_person": False}) == []


def test_stages_that_go_down_are_refused(warned):
    with pytest.raises(InvalidInput, match="a plan only goes up"):
        warned(plan=a_plan_document(10, 5))
