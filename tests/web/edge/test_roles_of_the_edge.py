"""Door of the edge × caller, complete by construction: it is made from the doors that the edge itself has."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.environments import create_environment
from controlplane.usecases.people import add_person
from controlplane.usecases.signing_in import create_link, use_link
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from tests.web.edge.plane import FakeClock, Plane, serving
from web.access import EDGE, Need
from web.auth import COOKIE

CALLERS = ("nobody", "sdk", "sdk elsewhere", "token", "session", "session elsewhere", "session without a role")


@pytest.fixture(scope="module")
def store(sqlite_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all callers, and one server: what one of them does at a door is no matter of the others."""
    url = f"sqlite:///{shutil.copy(sqlite_tables, tmp_path_factory.mktemp('roles') / 'throwbar.db')}"
    with open_store(url) as opened:
        prepare(opened, Settings(database_url=url), NOW)
        yield opened


@pytest.fixture(scope="module")
def headers(store: Store) -> dict[str, dict[str, str]]:
    """What each caller shows at the door of production."""
    create_environment(store, "staging", a_cause())
    wanted = {
        "sdk": TokenRequest(TokenKind.SDK, "a service"),
        "sdk elsewhere": TokenRequest(TokenKind.SDK, "a service", "staging"),
        "token": TokenRequest(TokenKind.ADMIN, "terraform", role=Role.ADMIN),
    }
    tokens = {name: create_token(store, each, a_cause())[1] for name, each in wanted.items()}
    places = {"session": "production", "session elsewhere": "staging"}
    sessions = {}
    for number, name in enumerate(each for each in CALLERS if each.startswith("session")):
        where = places.get(name, "staging")
        person = add_person(store, f"person-{number}@example.org", Role.VIEWER, a_cause(), where)
        sessions[name] = use_link(store, create_link(store, person.email, a_cause()), NOW).secret
        if name not in places:
            with store.writing() as uow:
                uow.people.set_role(person.id, where, None)
                uow.commit()
    return {
        "nobody": {},
        **{name: {"Authorization": f"Bearer {secret}"} for name, secret in tokens.items()},
        **{name: {"Cookie": f"{COOKIE}={secret}"} for name, secret in sessions.items()},
    }


@pytest.fixture(scope="module")
def plane(store: Store, headers: dict[str, dict[str, str]]) -> Iterator[Plane]:
    """Started once everybody is there: its first look finds all of them."""
    token = headers["sdk"]["Authorization"].removeprefix("Bearer ")
    with serving(store, FakeClock(NOW), token) as running:
        yield running


def may(caller: str, rule: Need | Role) -> bool:
    if rule is Need.PUBLIC:
        return True
    if rule is Need.SDK:
        return caller.startswith("sdk")  # its environment is the token's own, whatever the address
    return caller == "session" and rule is not Need.TICKET  # which none of them has; see test_notices


def test_every_door_of_the_edge_has_a_rule_and_every_rule_a_door(plane: Plane) -> None:
    assert plane.edge.doors == set(EDGE)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("door", EDGE)
def test_a_door_of_the_edge_opens_to_those_whom_the_table_names(headers, plane: Plane, door: str, caller: str) -> None:
    method, path = door.replace("<environment>", "production").split()
    connection = plane.connect()
    connection.request(method, path, headers=headers[caller])
    answer = connection.getresponse()
    connection.close()  # a stream would go on

    if may(caller, EDGE[door]):
        assert answer.status not in {401, 403}
        assert answer.status < 500
    else:
        assert answer.status in {401, 403}


def test_an_sdk_token_gets_the_snapshot_of_its_own_environment_alone(headers, plane: Plane) -> None:
    told = {}
    for caller in ("sdk", "sdk elsewhere"):
        connection = plane.connect()
        connection.request("GET", "/sdk/v1/snapshot", headers=headers[caller])
        told[caller] = connection.getresponse().read().decode()
        connection.close()

    assert '"environment":"production"' in told["sdk"]
    assert '"environment":"staging"' in told["sdk elsewhere"]
