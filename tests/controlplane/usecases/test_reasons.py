"""Where an environment asks why: changes say so or are refused, brakes are never asked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.appointment import Deed
from controlplane.domain.audit import SCHEDULER
from controlplane.domain.errors import InvalidInput
from controlplane.settings import Settings
from controlplane.usecases import appointments, flags, freezes, own_tokens, people, rollouts, signing_in, tokens
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment, set_environment, wants_reason
from controlplane.usecases.history import Filter, list_entries
from tests.builders import NOW, a_cause, a_flag_document

BRIDGE = Place("production", "dspex-bridge")
LATER = (NOW + timedelta(days=1)).isoformat()
SILENT = a_cause(reason=" ")
FREEZE = {"name": "Christmas", "starts_at": LATER, "ends_at": (NOW + timedelta(days=2)).isoformat()}


@pytest.fixture
def strict(store):
    """The worked example at the first stage, in an environment that asks why."""
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    people.add_person(store, "ann@example.org", Role.OPERATOR, a_cause())
    set_environment(store, "production", a_cause(), require_reason=True)
    rollouts.start(store, BRIDGE, a_cause())
    return store


ROBOT = TokenRequest(TokenKind.ADMIN, "robot", role=Role.OPERATOR)


def ann(store):
    """Somebody with a role everywhere, known before anybody asked why."""
    return people.find_person(store, "ann@example.org")


CHANGES = {
    "create": lambda store, why: flags.create_flag(store, "production", a_flag_document(key="other"), why),
    "edit": lambda store, why: flags.patch_flag(store, BRIDGE, {"description": "new"}, why),
    "enable": lambda store, why: flags.enable_flag(store, Place("production", "off"), why),
    "advance": lambda store, why: rollouts.advance(store, BRIDGE, why),
    "freeze": lambda store, why: freezes.add_freeze(store, "production", FREEZE, why),
    "appoint": lambda store, why: appointments.make_appointment(store, BRIDGE, {"at": LATER, "deed": Deed.ENABLE}, why),
    "token": lambda store, why: tokens.create_token(store, TokenRequest(TokenKind.SDK, "bridge-api"), why),
    "token for all": lambda store, why: tokens.create_token(store, ROBOT, why),
    "own token": lambda store, why: own_tokens.create_own_token(store, ann(store), ROBOT, why),
    "invite": lambda store, why: people.add_person(store, "eve@example.org", Role.VIEWER, why, "production"),
    "invite to all": lambda store, why: people.add_person(store, "eve@example.org", Role.VIEWER, why),
    "role": lambda store, why: people.set_role(store, ann(store).id, Role.ADMIN, why, "production"),
    "role everywhere": lambda store, why: people.set_role(store, ann(store).id, Role.ADMIN, why),
    "ask no more": lambda store, why: set_environment(store, "production", why, require_reason=False),
}
BRAKES = {
    "disable": flags.disable_flag,
    "pause": rollouts.pause,
    "abort": rollouts.abort,
    "rollback": rollouts.roll_back,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_without_a_reason_is_refused_by_that_name_and_changes_nothing(strict, change) -> None:
    flags.create_flag(strict, "production", a_flag_document(key="off", enabled=False), a_cause())
    before = list_entries(strict, "production", Filter(), 1).items[0].id

    with pytest.raises(InvalidInput) as refused:
        change(strict, SILENT)

    assert [each.field for each in refused.value.errors] == ["reason"]
    assert list_entries(strict, "production", Filter(), 1).items[0].id == before
    change(strict, a_cause(reason="all agreed"))
    assert list_entries(strict, "production", Filter(), 1).items[0].reason == "all agreed"


@pytest.mark.parametrize("brake", BRAKES.values(), ids=BRAKES)
def test_a_brake_is_never_asked_why(strict, brake) -> None:
    before = flags.get_flag(strict, BRIDGE)

    assert brake(strict, BRIDGE, SILENT).version == before.version + 1


def test_a_stage_back_is_a_brake_too(strict) -> None:
    rollouts.advance(strict, BRIDGE, a_cause())

    assert rollouts.step_back(strict, BRIDGE, SILENT).rollout.stage == 0


def test_an_appointment_for_a_brake_is_not_asked_and_a_reason_of_its_own_is_enough(strict) -> None:
    brake = appointments.make_appointment(strict, BRIDGE, {"at": LATER, "deed": "disable"}, SILENT)
    told = appointments.make_appointment(strict, BRIDGE, {"at": LATER, "deed": "enable", "reason": "Monday"}, SILENT)

    assert (brake.wish.reason, told.wish.reason) == ("", "Monday")


def test_the_scheduler_is_not_asked(strict) -> None:
    by_itself = replace(SILENT, actor=SCHEDULER)

    assert rollouts.advance(strict, BRIDGE, by_itself).rollout.stage == 1


def test_what_changes_nothing_needs_no_reason(strict) -> None:
    same = flags.get_flag(strict, BRIDGE)

    assert flags.enable_flag(strict, BRIDGE, SILENT) == same


def test_an_environment_asks_nothing_until_it_is_told_to_and_the_log_has_it(store) -> None:
    assert not wants_reason(store, "production")
    set_environment(store, "production", SILENT, require_reason=True)
    set_environment(store, "production", SILENT, require_reason=True)  # nothing new, so nothing to tell

    newest, first = list_entries(store, "production", Filter()).items
    assert wants_reason(store, "production")
    assert (newest.action, first.action) == ("environment:set", "environment:create")
    assert [(each.path, each.before, each.after) for each in newest.changes] == [("require_reason", False, True)]


def test_what_shuts_somebody_out_is_a_brake_and_is_not_asked(strict) -> None:
    token, _ = tokens.create_token(strict, ROBOT, a_cause())
    people.add_person(strict, "bob@example.org", Role.OPERATOR, a_cause(), "production")
    bob = people.find_person(strict, "bob@example.org")

    assert tokens.revoke_token(strict, token.id, SILENT).revoked_at
    assert people.set_role(strict, bob.id, Role.VIEWER, SILENT, "production").role_in("production") is Role.VIEWER
    assert people.set_role(strict, bob.id, None, SILENT, "production").role_in("production") is None
    with pytest.raises(InvalidInput):
        people.set_role(strict, bob.id, Role.VIEWER, SILENT, "production")


def test_what_another_environment_gets_is_its_own_matter(strict) -> None:
    create_environment(strict, "staging", SILENT)
    wanted = TokenRequest(TokenKind.SDK, "bridge-api", environment="staging")

    assert tokens.create_token(strict, wanted, SILENT)
    assert people.add_person(strict, "eve@example.org", Role.ADMIN, SILENT, "staging")
    assert signing_in.create_link(strict, "eve@example.org", SILENT)  # it belongs to no environment


def test_a_server_starts_with_new_tokens_of_its_settings_and_makes_its_first_link(strict) -> None:
    given = Settings(bootstrap_admin_token="a-secret-of-sixteen", bootstrap_sdk_token="another-of-sixteen")

    tokens.bootstrap_tokens(strict, given, NOW)

    assert len(tokens.list_tokens(strict)) == 2
    assert signing_in.first_link(strict, NOW, email="first@example.org")
