"""Disabling: everything that lets somebody in ends at once, and stays ended when they are enabled again."""

from dataclasses import replace

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.errors import InvalidInput, NotFound, NotSignedIn, Refused
from controlplane.usecases.disabling import disable_person, enable_person
from controlplane.usecases.environments import create_environment, set_environment
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.own_tokens import create_own_token, list_own_tokens, revoke_own_tokens
from controlplane.usecases.people import add_person, find_person, set_password, set_role
from controlplane.usecases.signing_in import create_link, session_of, sign_in, use_link
from controlplane.usecases.tokens import authenticate
from tests.builders import NOW, a_cause

PASSWORD = "correct horse battery"
WANTED = TokenRequest(TokenKind.ADMIN, "my laptop", role=Role.OPERATOR)


@pytest.fixture
def eve(store):
    return add_person(store, "eve@example.org", Role.OPERATOR, a_cause())


def test_every_way_in_is_closed_at_once(store, eve) -> None:
    set_password(store, eve.id, PASSWORD, a_cause())
    session, link = sign_in(store, eve.email, PASSWORD, NOW).secret, create_link(store, eve.email, a_cause())
    _, token = create_own_token(store, eve, WANTED, a_cause())

    disabled = disable_person(store, eve.id, a_cause())

    assert disabled.disabled_at == NOW
    assert session_of(store, session, NOW) is None
    for closed in (
        lambda: sign_in(store, eve.email, PASSWORD, NOW),
        lambda: use_link(store, link, NOW),
        lambda: authenticate(store, token, NOW),
    ):
        with pytest.raises(NotSignedIn):
            closed()
    with pytest.raises(Refused, match="is disabled: enable them first"):
        create_link(store, eve.email, a_cause())


def test_whoever_is_enabled_again_signs_in_anew(store, eve) -> None:
    set_password(store, eve.id, PASSWORD, a_cause())
    session = sign_in(store, eve.email, PASSWORD, NOW).secret
    _, token = create_own_token(store, eve, WANTED, a_cause())
    disable_person(store, eve.id, a_cause())

    enabled = enable_person(store, eve.id, a_cause())

    assert (enabled.disabled_at, enabled.roles) == (None, eve.roles)
    assert session_of(store, session, NOW) is None
    assert list_own_tokens(store, eve) == []
    with pytest.raises(NotSignedIn):
        authenticate(store, token, NOW)
    assert sign_in(store, eve.email, PASSWORD, NOW).person.email == eve.email


def test_the_last_administrator_who_can_sign_in_stays(store, eve) -> None:
    set_role(store, eve.id, Role.ADMIN, a_cause())
    bob = add_person(store, "bob@example.org", Role.ADMIN, a_cause())
    disable_person(store, bob.id, a_cause())

    with pytest.raises(Refused, match=r"eve@example.org is the last administrator: make somebody else one first"):
        disable_person(store, eve.id, a_cause())
    with pytest.raises(Refused):
        set_role(store, eve.id, Role.VIEWER, a_cause())

    assert find_person(store, eve.email).disabled_at is None


def test_nobody_shuts_themselves_out(store, eve) -> None:
    herself = replace(a_cause(), actor=Actor(ActorKind.PERSON, eve.email))

    with pytest.raises(Refused, match="nobody can disable themselves: ask another administrator"):
        disable_person(store, eve.id, herself)

    assert find_person(store, eve.email).disabled_at is None


def test_what_is_so_already_is_not_written_down_again(store, eve) -> None:
    enable_person(store, eve.id, a_cause())
    disable_person(store, eve.id, a_cause())
    disable_person(store, eve.id, a_cause())
    enable_person(store, eve.id, a_cause())

    told = [each.action for each in list_entries(store, "production", Filter()).items[:3]]
    assert told == ["person:enable", "person:disable", "person:add"]
    assert verify(store, "production").broken is None


def test_shutting_out_waits_for_no_sentence_and_letting_in_does(store, eve) -> None:
    create_own_token(store, eve, WANTED, a_cause())
    set_environment(store, "production", a_cause(), require_reason=True)
    speechless = replace(a_cause(), reason="")

    disable_person(store, eve.id, speechless)

    with pytest.raises(InvalidInput):
        enable_person(store, eve.id, speechless)
    assert find_person(store, eve.email).disabled_at


def test_the_log_of_each_environment_tells_which_tokens_ended(store, eve) -> None:
    create_environment(store, "staging", a_cause())
    create_own_token(store, eve, replace(WANTED, environment="staging"), a_cause())
    create_own_token(store, eve, WANTED, a_cause())

    disable_person(store, eve.id, a_cause())

    assert list_entries(store, "staging", Filter()).items[0].action == "token:revoke"
    first = [each.action for each in list_entries(store, "production", Filter()).items[:2]]
    assert first == ["token:revoke", "person:disable"]


def test_ones_own_tokens_end_together(store, eve) -> None:
    secrets = [create_own_token(store, eve, WANTED, a_cause())[1] for _ in range(2)]

    assert revoke_own_tokens(store, eve, a_cause()) == 2
    assert revoke_own_tokens(store, eve, a_cause()) == 0
    for secret in secrets:
        with pytest.raises(NotSignedIn):
            authenticate(store, secret, NOW)


@pytest.mark.parametrize("act", [disable_person, enable_person])
def test_nobody_is_not_found(store, act) -> None:
    with pytest.raises(NotFound):
        act(store, 4711, a_cause())
