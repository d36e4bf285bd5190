"""Own tokens: at most the owner's rights, at every moment; gone when the owner is; never a second person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from controlplane.domain.access import EVERYWHERE, Role, TokenKind, TokenRequest
from controlplane.domain.errors import InvalidInput, NotFound, NotSignedIn, Refused
from controlplane.store.access_tables import people as people_table
from controlplane.usecases.environments import create_environment
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.own_tokens import MOST, create_own_token, list_own_tokens, revoke_own_token
from controlplane.usecases.people import add_person, set_role
from controlplane.usecases.tokens import authenticate, list_tokens, revoke_token
from tests.builders import NOW, a_cause

WANTED = TokenRequest(TokenKind.ADMIN, "my laptop", role=Role.OPERATOR)


@pytest.fixture
def ann(store):
    create_environment(store, "staging", a_cause())
    return add_person(store, "ann@example.org", Role.OPERATOR, a_cause())


def test_an_own_token_may_what_was_asked_for_and_its_owner_is_known(store, ann) -> None:
    token, secret = create_own_token(store, ann, replace(WANTED, role=Role.VIEWER), a_cause())

    assert authenticate(store, secret, NOW) == token
    assert (token.owner, token.role_in("staging")) == (ann, Role.VIEWER)
    assert list_tokens(store) == list_own_tokens(store, ann) == [token]


@pytest.mark.parametrize(
    ("role", "environment", "field"),
    [(Role.ADMIN, None, "role"), (Role.ADMIN, "production", "role"), (Role.VIEWER, "nowhere", "environment")],
)
def test_nobody_gives_away_more_than_they_have(store, ann, role, environment, field) -> None:
    set_role(store, ann.id, Role.OPERATOR, a_cause(), "production")
    set_role(store, ann.id, None, a_cause())
    wanted = replace(WANTED, role=role, environment=environment)

    with pytest.raises(InvalidInput) as refused:
        create_own_token(store, ann, wanted, a_cause())

    assert refused.value.errors[0].field == (field if environment else "environment")
    assert list_tokens(store) == []


@pytest.mark.parametrize("given", [None, "production"])
@pytest.mark.parametrize("left", [None, Role.VIEWER])
def test_whoever_loses_a_role_loses_it_for_their_tokens_at_once(store, ann, given, left) -> None:
    _, secret = create_own_token(store, ann, replace(WANTED, environment=given), a_cause())
    assert authenticate(store, secret, NOW).role_in("production") is Role.OPERATOR

    set_role(store, ann.id, left, a_cause())

    assert authenticate(store, secret, NOW).role_in("production") is left
    assert authenticate(store, secret, NOW).role_in(EVERYWHERE) is (None if given else left)


def test_a_role_that_grows_does_not_grow_what_a_token_was_made_for(store, ann) -> None:
    _, secret = create_own_token(store, ann, WANTED, a_cause())

    set_role(store, ann.id, Role.ADMIN, a_cause())

    assert authenticate(store, secret, NOW).role_in("production") is Role.OPERATOR


def test_the_tokens_of_somebody_switched_off_open_nothing(store, ann) -> None:
    _, secret = create_own_token(store, ann, WANTED, a_cause())
    with store.engine.begin() as connection:
        connection.execute(update(people_table).values(disabled_at=NOW))

    with pytest.raises(NotSignedIn):
        authenticate(store, secret, NOW)


def test_own_tokens_are_ones_own(store, ann) -> None:
    bob = add_person(store, "bob@example.org", Role.ADMIN, a_cause())
    token, secret = create_own_token(store, ann, WANTED, a_cause())

    with pytest.raises(NotFound):
        revoke_own_token(store, bob, token.id, a_cause())
    assert list_own_tokens(store, bob) == []
    revoke_own_token(store, ann, token.id, a_cause())

    assert list_own_tokens(store, ann) == []
    with pytest.raises(NotSignedIn):
        authenticate(store, secret, NOW)


def test_an_administrator_revokes_anybodys_and_the_log_says_whose(store, ann) -> None:
    token, _ = create_own_token(store, ann, WANTED, a_cause())

    revoke_token(store, token.id, a_cause())

    newest = list_entries(store, "production", Filter()).items[0]
    assert {each.path: each.before for each in newest.changes} == {"name": "my laptop", "owner": "ann@example.org"}


def test_tokens_that_nobody_counts_any_more_come_to_an_end(store, ann) -> None:
    brief = replace(WANTED, expires_at=NOW + timedelta(hours=1))
    for _ in range(MOST):
        create_own_token(store, ann, brief, a_cause())

    with pytest.raises(Refused):
        create_own_token(store, ann, WANTED, a_cause())
    assert create_own_token(store, ann, WANTED, a_cause(NOW + timedelta(hours=1)))


def test_the_log_names_the_person_and_the_token_and_the_chain_covers_both(store, ann) -> None:
    cause = a_cause()
    by_token = replace(cause, actor=replace(cause.actor, via="my laptop"))

    create_own_token(store, ann, WANTED, by_token)

    newest = list_entries(store, "production", Filter(actor="ann@example.org")).items[0]
    assert newest.actor == by_token.actor
    assert newest.record == {"via": "my laptop"}
    assert verify(store, "production").broken is None
