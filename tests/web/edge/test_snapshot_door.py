"""What does a service get when it polls?"""

import gzip
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.documents.flag import parse_flag
from controlplane.domain.rollout import Rollout, State
from controlplane.store import Store
from controlplane.usecases.flags import create_flag
from controlplane.usecases.tokens import list_tokens, revoke_token
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import Plane, Response, wait_until

CONTRACT = Path(__file__).parents[2] / "contract"


def a_flag(plane: Plane, key: str = "dspex-bridge") -> None:
    create_flag(plane.store, "production", a_flag_document(key=key), a_cause())


def waiting(plane: Plane) -> int:
    return len(plane.edge._room)


def test_a_poll_brings_the_snapshot_and_its_etag(plane: Plane) -> None:
    answer = plane.poll()

    document = answer.json
    assert answer.status == 200
    assert answer.headers["etag"] == f'"{document["source"]}.{document["version"]}"'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Authorization, Accept-Encoding"
    assert answer.headers["cache-control"] == "private, no-cache"


def test_the_wire_shows_what_the_golden_file_shows(plane: Plane, store: Store) -> None:
    golden = json.loads((CONTRACT / "snapshot.json").read_text())
    route = golden["flags"]["dspex-bridge"]
    routed = {name: route["operations"]["simple_predict"][name] for name in ("mode", "breaker", "retry")}
    flag = parse_flag(
        {
            **{name: route[name] for name in ("baseline", "candidate", "enabled", "switches", "rules")},
            "key": "dspex-bridge",
            "operations": {"echo": {"percent": 0}, "simple_predict": {"percent": 5, **routed}},
            "guardrails": {},
        }
    )
    operations = {**flag.operations, "echo": replace(flag.operations["echo"], rolled_back=True)}
    rollout = Rollout(state=State.RUNNING, attempt=2)
    now = a_cause().at
    made = replace(flag, operations=operations, rollout=rollout, version=1, created_at=now, updated_at=now)
    with store.writing() as uow:
        environment = uow.environments.get("production")
        uow.flags.add(environment.id, made)
        for version in range(1, golden["version"]):
            uow.environments.raise_version(replace(environment, version=version))
        uow.commit()

    wait_until(lambda: plane.poll().json["version"] == golden["version"])

    assert plane.poll().json == {**golden, "source": environment.source}


def test_who_has_the_newest_is_told_so_without_a_body(plane: Plane) -> None:
    etag = plane.poll().headers["etag"]

    answer = plane.poll(etag)

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("held", ["W/{}", '"x", {}', "{} , W/{}"])
def test_an_etag_is_found_in_a_list_and_behind_a_weak_mark(plane: Plane, held: str) -> None:
    etag = plane.poll().headers["etag"]

    assert plane.poll(held.replace("{}", etag)).status == 304


def test_nothing_is_newer_for_who_got_a_later_version_from_a_replica(plane: Plane) -> None:
    source = plane.poll().json["source"]

    assert plane.poll(f'"{source}.99"').status == 304


@pytest.mark.parametrize("held", ['"0123456789abcdef.99"', '"nonsense"', '""', '"{}.-1"', '"{}.0"'])
def test_an_etag_of_another_life_or_an_older_version_brings_the_whole(plane: Plane, held: str) -> None:
    source = plane.poll().json["source"]

    assert plane.poll(held.replace("{}", source)).status == 200


def test_gzip_is_given_to_who_asks_and_says_the_same(plane: Plane) -> None:
    for number in range(5):
        a_flag(plane, f"flag-{number}")
    wait_until(lambda: len(plane.poll().json["flags"]) == 5)

    plain, zipped = plane.poll(), plane.poll(Accept_Encoding="br, gzip")

    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert "content-encoding" not in plane.poll(Accept_Encoding="gzip;q=0").headers


def test_head_says_how_long_the_body_would_be(plane: Plane) -> None:
    whole = plane.poll()

    answer = plane.request("HEAD", "/sdk/v1/snapshot")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole.body))


def test_only_reading_is_allowed(plane: Plane) -> None:
    answer = plane.request("POST", "/sdk/v1/snapshot", b"{}")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_not_of_the_sdk_plane_is_passed_on(plane: Plane) -> None:
    assert plane.request("GET", "/flags/x").json == {"site": "/flags/x"}


def test_a_hanging_poll_ends_with_nothing_new_when_its_time_is_over(plane: Plane) -> None:
    etag = plane.poll().headers["etag"]

    answer = plane.poll(etag, Prefer="respond-async, wait=1")

    assert (answer.status, answer.headers["etag"]) == (304, etag)


def test_a_hanging_poll_hears_of_a_change(plane: Plane) -> None:
    held = plane.poll()
    answers: list[Response] = []
    poller = threading.Thread(target=lambda: answers.append(plane.poll(held.headers["etag"], Prefer="wait=60")))
    poller.start()
    wait_until(lambda: waiting(plane) == 1)

    a_flag(plane)
    poller.join(60)

    assert answers[0].status == 200
    assert answers[0].json["version"] == held.json["version"] + 1
    assert "dspex-bridge" in answers[0].json["flags"]


def test_a_client_that_leaves_is_forgotten(plane: Plane) -> None:
    etag = plane.poll().headers["etag"]
    connection = plane.connect()
    headers = {"Authorization": f"Bearer {plane.token}", "If-None-Match": etag, "Prefer": "wait=60"}
    connection.request("GET", "/sdk/v1/snapshot", headers=headers)
    wait_until(lambda: waiting(plane) == 1)

    connection.close()

    wait_until(lambda: waiting(plane) == 0)


def test_a_revoked_token_ends_the_wait_of_its_clients(plane: Plane) -> None:
    etag = plane.poll().headers["etag"]
    answers: list[Response] = []
    poller = threading.Thread(target=lambda: answers.append(plane.poll(etag, Prefer="wait=60")))
    poller.start()
    wait_until(lambda: waiting(plane) == 1)

    revoke_token(plane.store, list_tokens(plane.store)[0].id, a_cause())
    poller.join(60)

    assert answers[0].status == 401
