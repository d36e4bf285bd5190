"""By whose word does somebody come in, and as whom? On both databases."""

import pytest

from controlplane.domain.access import Admission, Role
from controlplane.domain.errors import NotSignedIn, TooManyTries
from controlplane.usecases.people import add_person, list_people
from controlplane.usecases.signing_in import session_of
from controlplane.usecases.vouching import Arrival, admit, count_arrival
from tests.builders import NOW, a_cause

ANN = "ann@example.org"
OPEN = Admission("Example ID", frozenset({"example.org"}), Role.VIEWER)
INVITED = Admission("Example ID")


def an_arrival(email=ANN, *, verified=True, replacing=None) -> Arrival:
    return Arrival(email, verified, "192.0.2.7", NOW, replacing=replacing)


def test_somebody_new_is_added_once_and_comes_back_as_the_same(store) -> None:
    first = admit(store, an_arrival(), OPEN)
    second = admit(store, an_arrival("Ann@Example.org", replacing=first.secret), OPEN)

    assert [each.email for each in list_people(store)] == [ANN]
    assert first.person.roles == second.person.roles == {"*": Role.VIEWER}
    assert session_of(store, first.secret, NOW) is None
    assert session_of(store, second.secret, NOW).email == ANN


def test_a_role_that_somebody_has_is_left_as_it_is(store) -> None:
    add_person(store, ANN, Role.ADMIN, a_cause())

    assert admit(store, an_arrival(), OPEN).person.roles == {"*": Role.ADMIN}


@pytest.mark.parametrize(
    ("arrival", "admission"),
    [(an_arrival(), INVITED), (an_arrival(verified=False), OPEN), (an_arrival("ann@example.com"), OPEN)],
)
def test_who_is_refused_is_not_added(store, arrival, admission) -> None:
    with pytest.raises(NotSignedIn):
        admit(store, arrival, admission)

    assert list_people(store) == []


def test_one_address_s_tries_in_vain_slow_down_no_other(store) -> None:
    for _ in range(5):
        count_arrival(store, "192.0.2.7", NOW)

    with pytest.raises(TooManyTries):
        count_arrival(store, "192.0.2.7", NOW)
    count_arrival(store, "192.0.2.8", NOW)
