"""Signing in: one sentence for every wrong try, a growing wait, links that work once, sessions that end."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from controlplane.domain.access import Role, wait_after
from controlplane.domain.errors import InvalidInput, NotFound, NotSignedIn, TooManyTries
from controlplane.usecases import passwords, signing_in
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.people import add_person, list_people, set_password, set_role
from tests.builders import NOW, a_cause

ANN = "ann@example.org"
PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch) -> None:
    """Argon2id with the smallest costs: what is tested here is not how slow it is."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    monkeypatch.setattr(passwords, "_DUMMY", quick.hash("nobody knows"))


@pytest.fixture
def ann(store):
    person = add_person(store, ANN, Role.OPERATOR, a_cause())
    return set_password(store, person.id, PASSWORD, a_cause())


def test_a_password_opens_a_session(store, ann) -> None:
    session = signing_in.sign_in(store, "Ann@Example.org ", PASSWORD, NOW)

    assert signing_in.session_of(store, session.secret, NOW).email == ANN
    assert session.secret not in repr(session)


@pytest.mark.parametrize("email", [ANN, "nobody@example.org", "no address at all", ""])
def test_every_wrong_try_is_told_the_same(store, ann, email) -> None:
    with pytest.raises(NotSignedIn) as refused:
        signing_in.sign_in(store, email, WRONG, NOW)

    assert refused.value.message == signing_in.WRONG


def test_a_person_without_a_password_cannot_sign_in_with_one(store) -> None:
    add_person(store, ANN, Role.VIEWER, a_cause())

    with pytest.raises(NotSignedIn):
        signing_in.sign_in(store, ANN, "", NOW)


@pytest.mark.parametrize("email", [ANN, "nobody@example.org"])
def test_after_five_wrong_tries_the_wait_grows_for_known_and_unknown_alike(store, ann, email) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            signing_in.sign_in(store, email, WRONG, NOW)

    with pytest.raises(TooManyTries) as slowed:
        signing_in.sign_in(store, email, PASSWORD, NOW)
    with pytest.raises(NotSignedIn):
        signing_in.sign_in(store, email, WRONG, NOW + timedelta(seconds=2))
    with pytest.raises(TooManyTries) as more:
        signing_in.sign_in(store, email, WRONG, NOW + timedelta(seconds=2))

    assert slowed.value.retry_after < more.value.retry_after


def test_others_do_not_wait_for_one_who_forgot(store, ann) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            signing_in.sign_in(store, "nobody@example.org", WRONG, NOW)

    assert signing_in.sign_in(store, ANN, PASSWORD, NOW)


def test_a_good_try_forgives_the_wrong_ones(store, ann) -> None:
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(NotSignedIn):
                signing_in.sign_in(store, ANN, WRONG, NOW)
        assert signing_in.sign_in(store, ANN, PASSWORD, NOW)


def test_wrong_tries_are_forgotten_after_an_hour(store, ann) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            signing_in.sign_in(store, ANN, WRONG, NOW)

    assert signing_in.sign_in(store, ANN, PASSWORD, NOW + timedelta(hours=1, seconds=1))


def test_the_wait_doubles_and_ends_at_a_quarter_of_an_hour() -> None:
    assert [wait_after(each) for each in (0, 4, 5, 6, 7, 14, 15, 1000)] == [0, 0, 1, 2, 4, 512, 900, 900]


def test_a_session_ends_by_itself_by_signing_out_and_by_being_replaced(store, ann) -> None:
    old = signing_in.sign_in(store, ANN, PASSWORD, NOW)
    new = signing_in.sign_in(store, ANN, PASSWORD, NOW, replacing=old.secret)
    other = signing_in.sign_in(store, ANN, PASSWORD, NOW)

    assert signing_in.session_of(store, old.secret, NOW) is None
    assert signing_in.session_of(store, new.secret, NOW + timedelta(days=13))
    assert signing_in.session_of(store, new.secret, NOW + timedelta(days=14)) is None
    signing_in.sign_out(store, new.secret)
    assert signing_in.session_of(store, new.secret, NOW) is None
    signing_in.sign_out_everywhere(store, ann.id)
    assert signing_in.session_of(store, other.secret, NOW) is None


def test_a_new_password_ends_sessions_and_links(store, ann) -> None:
    session = signing_in.sign_in(store, ANN, PASSWORD, NOW)
    link = signing_in.create_link(store, ANN, a_cause())

    set_password(store, ann.id, "another good password", a_cause())

    assert signing_in.session_of(store, session.secret, NOW) is None
    with pytest.raises(NotSignedIn):
        signing_in.use_link(store, link, NOW)


def test_a_link_works_once_and_for_a_day(store, ann) -> None:
    used, late = (signing_in.create_link(store, ANN, a_cause()) for _ in range(2))

    assert signing_in.use_link(store, used, NOW).person.email == ANN
    for secret, at in ((used, NOW), (late, NOW + timedelta(hours=24)), ("tb_link_invented", NOW)):
        with pytest.raises(NotSignedIn):
            signing_in.use_link(store, secret, at)
    with pytest.raises(NotFound):
        signing_in.create_link(store, "nobody@example.org", a_cause())


def test_the_first_start_makes_an_administrator_and_a_link_until_there_is_a_password(store) -> None:
    first = signing_in.first_link(store, NOW)
    second = signing_in.first_link(store, NOW)

    person = signing_in.use_link(store, second, NOW).person
    assert first != second
    assert (person.email, person.role_in("anywhere")) == ("admin@localhost", Role.ADMIN)
    set_password(store, person.id, PASSWORD, a_cause())
    assert signing_in.first_link(store, NOW) is None
    assert len(list_people(store)) == 1


def test_an_unattended_first_start_needs_no_link(store) -> None:
    assert signing_in.first_link(store, NOW, email="Ops@Example.org", password=PASSWORD) is None

    assert signing_in.sign_in(store, "ops@example.org", PASSWORD, NOW).person.role_in("anywhere") is Role.ADMIN


def test_no_secret_reaches_the_audit_log(store, ann) -> None:
    link = signing_in.create_link(store, ANN, a_cause())
    told = repr(list_entries(store, "production", Filter()).items)

    assert "person:create_link" in told
    assert link not in told
    assert PASSWORD not in told
    assert "argon2" not in told


def test_a_role_change_is_in_force_in_open_sessions(store, ann) -> None:
    session = signing_in.sign_in(store, ANN, PASSWORD, NOW)

    set_role(store, ann.id, None, a_cause())

    assert signing_in.session_of(store, session.secret, NOW).role_in("production") is None


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1001])
def test_a_password_has_a_length(store, ann, password) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_password(store, ann.id, password, a_cause())

    assert [each.field for each in refused.value.errors] == ["password"]
    assert signing_in.sign_in(store, ANN, PASSWORD, NOW)
