"""Does an open page hear of what changed, and only as long as its person may?"""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.domain.access import Role
from controlplane.store import Store
from controlplane.usecases import flags, people, signing_in
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment
from controlplane.usecases.stirring import Marks, read_marks
from tests.builders import NOW, a_cause, a_flag_document
from tests.web.edge.plane import Plane, wait_until
from web.edge import sse, stream

BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(sse, "BREATH_SECONDS", 0.05)


@pytest.fixture
def session(store: Store) -> str:
    """A viewer of production."""
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    people.add_person(store, "vic@example.org", Role.VIEWER, a_cause(), "production")
    return signing_in.use_link(store, signing_in.create_link(store, "vic@example.org", a_cause()), NOW).secret


class Pages:
    """Open pages, all of them closed in the end."""

    def __init__(self) -> None:
        self._ends: list[Any] = []

    def __call__(self, plane: Plane, session: str, environment: str = "production") -> http.client.HTTPResponse:
        connection = plane.connect()
        headers = {"Cookie": f"throwbar_session={session}"} if session else {}
        connection.request("GET", f"/environments/{environment}/stream", headers=headers)
        answer = connection.getresponse()
        self._ends += [answer, connection]
        return answer

    def close(self) -> None:
        for end in self._ends:
            end.close()


@pytest.fixture
def opened() -> Iterator[Pages]:
    pages = Pages()
    yield pages
    pages.close()


def events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    name = ""
    for raw in answer:
        line = raw.decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_change_is_told_by_the_flag_that_changed(plane: Plane, store: Store, session: str, opened: Pages) -> None:
    heard = events(opened(plane, session))
    assert next(heard) == ("hello", {})
    wait_until(lambda: plane.edge._stream._known)

    flags.disable_flag(store, BRIDGE, a_cause())

    name, told = next(heard)
    assert name == "changed"
    assert told["all"] or told["flags"] == ["dspex-bridge"]


@pytest.mark.parametrize("environment", ["production", "nowhere"])
def test_nobody_listens_without_a_session(plane: Plane, environment: str, opened: Pages) -> None:
    assert opened(plane, "", environment).status == 401
    assert opened(plane, "made up", environment).status == 401


def test_an_environment_that_a_person_may_not_see_stays_silent(
    plane: Plane, store: Store, session: str, opened: Pages
) -> None:
    create_environment(store, "staging", a_cause())

    assert opened(plane, session, "staging").status == 401
    assert opened(plane, session).status == 200


def test_a_session_that_ends_takes_its_streams_along(plane: Plane, store: Store, session: str, opened: Pages) -> None:
    heard = events(opened(plane, session))
    assert next(heard)[0] == "hello"

    signing_in.sign_out(store, session)

    assert [name for name, _ in heard][-1] == "over"
    wait_until(lambda: len(plane.edge._stream) == 0)


def test_a_session_holds_a_few_streams_and_no_more(plane: Plane, session: str, opened: Pages) -> None:
    held = [opened(plane, session) for _ in range(stream.MOST_OF_ONE)]

    refused = opened(plane, session)

    assert {each.status for each in held} == {200}
    assert refused.status == 503


def test_a_flag_of_that_name_has_its_page_all_the_same(plane: Plane) -> None:
    path = "/environments/production/flags/stream"

    assert plane.request("GET", path).json == {"site": path}


def test_a_server_that_stops_lets_its_pages_go(plane: Plane, session: str, opened: Pages) -> None:
    heard = events(opened(plane, session))
    assert next(heard)[0] == "hello"

    plane.release()

    assert [name for name, _ in heard] == ["over"]
    assert opened(plane, session).status == 503


def test_the_marks_of_an_environment_move_with_its_flags(store: Store, session: str) -> None:
    before = read_marks(store, "production")
    assert read_marks(store, "production") == before

    flags.disable_flag(store, BRIDGE, a_cause())

    assert stream._differing(before.flags, read_marks(store, "production").flags) == {"dspex-bridge"}


def test_too_many_changes_are_told_as_everything() -> None:
    many = Marks({f"flag-{number}": "2" for number in range(stream.MOST_NAMED + 1)})

    assert stream._changed(Marks(), many) == {None}
    assert stream._changed(Marks({"a": "1"}), Marks({"a": "2"})) == {"a"}
