"""People: addresses, roles by environment, and the last administrator."""

import pytest

from controlplane.domain.access import Role
from controlplane.domain.errors import AlreadyExists, InvalidInput, NotFound, Refused
from controlplane.usecases.environments import create_environment
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.people import add_person, find_person, list_people, set_role
from tests.builders import a_cause


def test_an_address_is_one_whatever_its_capitals(store) -> None:
    add_person(store, " Ann@Example.org", Role.VIEWER, a_cause())

    assert find_person(store, "ANN@EXAMPLE.ORG").email == "ann@example.org"
    with pytest.raises(AlreadyExists):
        add_person(store, "ann@example.ORG", Role.ADMIN, a_cause())


@pytest.mark.parametrize("email", ["", "ann", "ann@", "@example.org", "a b@c.d", "a@b\x00", "a" * 201 + "@b"])
def test_what_is_no_address_is_refused(store, email) -> None:
    with pytest.raises(InvalidInput):
        add_person(store, email, Role.VIEWER, a_cause())

    assert list_people(store) == []


def test_a_role_holds_where_it_was_given_and_the_larger_one_counts(store) -> None:
    create_environment(store, "staging", a_cause())
    ann = add_person(store, "ann@example.org", Role.ADMIN, a_cause(), "staging")

    everywhere = set_role(store, ann.id, Role.VIEWER, a_cause())

    assert ann.role_in("production") is None
    assert (everywhere.role_in("production"), everywhere.role_in("staging")) == (Role.VIEWER, Role.ADMIN)


def test_an_environment_that_is_not_there_gives_no_role(store) -> None:
    with pytest.raises(NotFound):
        add_person(store, "ann@example.org", Role.ADMIN, a_cause(), "nowhere")


@pytest.mark.parametrize("role", [None, Role.OPERATOR])
def test_the_last_administrator_stays_one(store, role) -> None:
    ann = add_person(store, "ann@example.org", Role.ADMIN, a_cause())

    with pytest.raises(Refused):
        set_role(store, ann.id, role, a_cause())
    assert find_person(store, ann.email).role_in("production") is Role.ADMIN

    add_person(store, "bob@example.org", Role.ADMIN, a_cause())
    assert set_role(store, ann.id, role, a_cause()).role_in("production") is role


def test_changes_are_chained_where_they_belong(store) -> None:
    create_environment(store, "staging", a_cause())
    ann = add_person(store, "ann@example.org", Role.VIEWER, a_cause())
    set_role(store, ann.id, Role.OPERATOR, a_cause(), "staging")
    set_role(store, ann.id, Role.OPERATOR, a_cause(), "staging")  # nothing new, so nothing to tell

    first, staging = (list_entries(store, name, Filter()).items for name in ("production", "staging"))

    assert [each.action for each in first] == ["person:add", "environment:create"]
    assert [each.action for each in staging] == ["person:set_role", "environment:create"]
    assert {each.path: each.after for each in staging[0].changes} == {
        "email": "ann@example.org",
        "roles.staging": "operator",
    }
    assert verify(store, "production").broken is None
    assert verify(store, "staging").broken is None
