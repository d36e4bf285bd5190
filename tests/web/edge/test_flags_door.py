"""What does a reader of flagd definitions get?"""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.rollout import Rollout, State
from controlplane.evaluator import fault_of
from controlplane.store import Store
from controlplane.usecases import flag_sets
from controlplane.usecases.changing import Place
from controlplane.usecases.flag_sets import current_flag_set
from controlplane.usecases.flags import create_flag, disable_flag
from tests.builders import NOW, a_cause, a_flag_document
from tests.controlplane.domain.test_snapshot import FLAG
from tests.web.edge.plane import Plane, Response, serving, wait_until

CONTRACT = Path(__file__).parents[2] / "contract"
ADDRESS = "/flagd/v0/flags.json"


def definition(plane: Plane, held: str | None = None, **headers: str) -> Response:
    return plane.request("GET", ADDRESS, **({"If_None_Match": held} if held else {}), **headers)


def a_flag(plane: Plane, key: str = "dspex-bridge", **changes) -> None:
    create_flag(plane.store, "production", a_flag_document(key=key, **changes), a_cause())
    wait_until(lambda: key in plane.poll().json["flags"])


@pytest.fixture
def published(plane: Plane, store: Store) -> str:
    """The flag of the golden files at the version of the golden files; the source, which is random."""
    made = replace(FLAG, rollout=Rollout(State.RUNNING, attempt=2), version=1, created_at=NOW, updated_at=NOW)
    with store.writing() as uow:
        environment = uow.environments.get("production")
        uow.flags.add(environment.id, made)
        for version in range(1, 41):
            uow.environments.raise_version(replace(environment, version=version))
        uow.commit()
    wait_until(lambda: plane.poll().json["version"] == 41)
    return environment.source


def golden(name: str) -> dict[str, Any]:
    return json.loads((CONTRACT / name).read_text())


def test_the_wire_shows_what_the_golden_file_shows(plane: Plane, published: str) -> None:
    expected = golden("flag_set.json")

    assert definition(plane).json == {**expected, "throwbar": {**expected["throwbar"], "source": published}}


def test_so_does_what_is_evaluated(plane: Plane, published: str) -> None:
    expected = golden("ofrep.json")
    asked = json.dumps(expected["asked"]).encode()

    def answer(path: str, body: bytes = asked) -> Any:
        return plane.request("POST", f"/ofrep/v1/evaluate/flags{path}", body).json

    every = answer("")
    address = every["eventStreams"][0]["endpoint"]
    address["requestUri"] = address["requestUri"].partition("=")[0] + "=…"
    assert answer("/dspex-bridge") == expected["one"]
    assert answer("/dspex-brigde") == expected["not_found"]
    assert answer("/dspex-bridge", b'{"context": {"targetingKey": 42}}') == expected["refused"]
    assert every == expected["all"]


def test_it_is_json_and_nothing_more_exact(plane: Plane) -> None:
    """flagd takes the format from the type, and knows no parameters of it."""
    answer = definition(plane)

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["etag"] == plane.poll().headers["etag"]


def test_who_has_the_newest_is_told_so_and_hears_of_the_next(plane: Plane) -> None:
    a_flag(plane)
    first = definition(plane)

    same = definition(plane, first.headers["etag"])
    disable_flag(plane.store, Place("production", "dspex-bridge"), a_cause())
    wait_until(lambda: definition(plane, first.headers["etag"]).status == 200)

    assert (same.status, same.body, same.headers["etag"]) == (304, b"", first.headers["etag"])
    flag = definition(plane).json["flags"]["dspex-bridge"]
    assert (flag["state"], flag["metadata"]["reason"]) == ("ENABLED", "disabled")


def test_gzip_and_head_are_understood(plane: Plane) -> None:
    for number in range(3):
        a_flag(plane, f"flag-{number}")

    assert definition(plane, Accept_Encoding="gzip").headers["content-encoding"] == "gzip"
    assert plane.request("HEAD", ADDRESS).headers["content-length"] == str(len(definition(plane).body))


def test_the_environment_is_that_of_the_token_alone(plane: Plane) -> None:
    assert definition(plane).json["metadata"]["flagSetId"] == "production"


def test_a_malformed_flag_is_left_out_counted_and_said_and_the_others_are_served(
    store, sdk_token, clock, monkeypatch, caplog
) -> None:
    """No migration is malformed, so the judge is told to find one so."""
    monkeypatch.setattr(
        flag_sets, "fault_of", lambda key, flag: "it is upside down" if key == "broken" else fault_of(key, flag)
    )
    with serving(store, clock, sdk_token) as plane, caplog.at_level(logging.ERROR, "web.edge"):
        a_flag(plane)
        a_flag(plane, "broken")
        served = definition(plane).json["flags"]

        assert list(served) == ["dspex-bridge"]
        assert plane.edge.counts["flag_sets:left_out"] == 1
        assert "flag broken of production is left out of the flag set: it is upside down" in caplog.text


def test_a_flag_set_is_made_once_for_a_version_and_not_before_it_is_asked_for(store, sdk_token, clock) -> None:
    made = []

    def counted(environment: str):
        made.append(environment)
        return current_flag_set(store, environment)

    with serving(store, clock, sdk_token, flag_set=counted) as plane:
        a_flag(plane)
        assert made == []

        for _ in range(5):
            definition(plane)
        assert made == ["production"]

        a_flag(plane, "another")
        definition(plane)
        assert made == ["production", "production"]


def test_the_last_definition_stays_in_force_while_the_database_is_away(store, sdk_token, clock, caplog) -> None:
    away = []

    def sometimes(environment: str):
        if away:
            raise ConnectionError("no database")
        return current_flag_set(store, environment)

    with serving(store, clock, sdk_token, flag_set=sometimes) as plane:
        a_flag(plane)
        before = definition(plane)
        away.append(True)
        a_flag(plane, "another")

        assert definition(plane).body == before.body
        assert "the flag set of production could not be loaded" in caplog.text


@pytest.mark.usefixtures("caplog")
def test_without_any_definition_the_reader_is_told_to_come_back(store, sdk_token, clock) -> None:
    def never(environment: str):
        raise ConnectionError("no database")

    with serving(store, clock, sdk_token, flag_set=never) as plane:
        answer = definition(plane)

        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
