"""Do clients of OFREP hear that something has changed, by an address that opens nothing else, and not for ever?"""

import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.snapshot import Clockwork
from controlplane.usecases.changing import Place
from controlplane.usecases.flags import create_flag, disable_flag, enable_flag
from controlplane.usecases.tokens import list_tokens, revoke_token
from tests.builders import a_cause, a_flag_document
from tests.web.edge.plane import FakeClock, Plane, wait_until
from web.cli.entry import make_brain
from web.edge import notices, sse
from web.edge.http import Problem
from web.edge.tickets import Tickets
from web.edge.tokens import TokenTable

GOLDEN = json.loads((Path(__file__).parents[2] / "contract" / "ofrep.json").read_text())["event"]
BULK = "/ofrep/v1/evaluate/flags"
BRIDGE = Place("production", "dspex-bridge")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "BREATH_SECONDS", 0.05)


class Streams:
    """Open streams, all of them closed in the end."""

    def __init__(self) -> None:
        self._ends: list[Any] = []

    def __call__(self, plane: Plane, address: str, **headers: str) -> http.client.HTTPResponse:
        connection = plane.connect()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", address, headers={"Accept": "text/event-stream", **given})
        answer = connection.getresponse()
        self._ends += [answer, connection]
        return answer

    def close(self) -> None:
        for end in self._ends:
            end.close()


@pytest.fixture
def opened() -> Iterator[Streams]:
    streams = Streams()
    yield streams
    streams.close()


@pytest.fixture
def flag(plane: Plane) -> None:
    create_flag(plane.store, "production", a_flag_document(), a_cause())
    wait_until(lambda: "dspex-bridge" in plane.poll().json["flags"])


def address_of(plane: Plane) -> str:
    (stream,) = plane.request("POST", BULK, b"{}").json["eventStreams"]
    assert stream["type"] == "sse"
    assert stream["inactivityDelaySec"] == 120
    assert stream["endpoint"].keys() == {"requestUri"}
    return stream["endpoint"]["requestUri"]


def events(answer: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    """Field → value of each event; comments are passed over."""
    event: dict[str, str] = {}
    for raw in answer:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name:
            event[name] = value
        elif "data" in event:
            yield event
            event = {}


def test_a_client_hears_of_a_change_and_asks_again_by_what_it_heard(plane: Plane, flag, opened: Streams) -> None:
    stream = opened(plane, address_of(plane))
    assert stream.getheader("content-type") == "text/event-stream"
    assert stream.getheader("cache-control") == "no-store"
    heard = events(stream)
    assert next(heard)["id"] == plane.poll().headers["etag"].strip('"')

    disable_flag(plane.store, BRIDGE, a_cause())
    event = next(heard)

    told, newest = json.loads(event["data"]), plane.poll()
    assert event["event"] == "message"
    assert told == {**GOLDEN, "etag": newest.headers["etag"]}
    assert event["id"] == newest.headers["etag"].strip('"')


def test_a_silent_stream_breathes(plane: Plane, opened: Streams) -> None:
    heard = plane.poll().headers["etag"].strip('"')
    stream = opened(plane, address_of(plane), Last_Event_ID=heard)

    assert [stream.readline() for _ in range(4)] == [b"retry: 2000\n", b"\n", b": \n", b"\n"]


def test_who_was_away_hears_at_once_what_it_has_missed(plane: Plane, flag, opened: Streams) -> None:
    address, heard = address_of(plane), plane.poll().headers["etag"].strip('"')
    disable_flag(plane.store, BRIDGE, a_cause())
    wait_until(lambda: not plane.poll().json["flags"]["dspex-bridge"]["enabled"])

    event = next(events(opened(plane, address, Last_Event_ID=heard)))

    assert event["id"] == plane.poll().headers["etag"].strip('"')


def test_who_asked_before_a_change_and_listens_after_it_hears_of_it(plane: Plane, flag, opened: Streams) -> None:
    """Between the answer with the address and the stream, and when a stream is cut before its first event."""
    address = address_of(plane)
    disable_flag(plane.store, BRIDGE, a_cause())
    wait_until(lambda: not plane.poll().json["flags"]["dspex-bridge"]["enabled"])

    event = next(events(opened(plane, address)))

    assert event["id"] == plane.poll().headers["etag"].strip('"')


def test_the_address_stays_the_same_for_a_while_so_that_nobody_connects_anew(plane: Plane, clock: FakeClock) -> None:
    first = address_of(plane)
    clock.pass_by(timedelta(minutes=29))

    assert address_of(plane) == first


def test_an_address_is_over_within_the_hour_and_the_next_answer_has_another(
    plane: Plane, clock: FakeClock, opened: Streams
) -> None:
    """A client that is refused asks for all flags by the ETag it holds: 304 would leave it with the old address."""
    held = plane.request("POST", BULK, b"{}").headers["etag"]
    address = address_of(plane)
    clock.pass_by(timedelta(minutes=60))

    refused = opened(plane, address)
    again = plane.request("POST", BULK, b"{}", If_None_Match=held)

    assert refused.status == 401
    assert b"take a new one" in refused.read()
    assert again.status == 200
    assert opened(plane, address_of(plane)).status == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda address: address[:-1] + ("0" if address[-1] != "0" else "1"),
        lambda address: address.replace("token=", "token=9"),
        lambda address: address.partition("?")[0],
        lambda address: address.partition("=")[0] + "=x",
        lambda address: address + "&token=x",
    ],
)
def test_an_address_that_was_not_signed_here_opens_nothing(plane: Plane, opened: Streams, spoil) -> None:
    spoilt = spoil(address_of(plane))

    assert opened(plane, spoilt).status == (200 if spoilt.endswith("&token=x") else 401)


def test_it_opens_nothing_but_the_stream(plane: Plane) -> None:
    ticket = address_of(plane).partition("=")[2]

    assert plane.request("GET", "/sdk/v1/snapshot", token=ticket).status == 401
    assert plane.request("POST", f"{BULK}?token={ticket}", b"{}", token=None).status == 401
    assert plane.token not in ticket


def test_a_revoked_token_ends_its_streams_and_its_addresses(plane: Plane, opened: Streams) -> None:
    address = address_of(plane)
    stream = opened(plane, address)

    revoke_token(plane.store, list_tokens(plane.store)[0].id, a_cause())

    stream.read()  # to its end, or the test ends by its time
    wait_until(lambda: len(plane.edge._notices) == 0)
    assert opened(plane, address).status == 401


def test_a_token_whose_time_is_over_ends_its_streams(plane: Plane, clock: FakeClock, opened: Streams) -> None:
    stream = opened(plane, address_of(plane))

    clock.pass_by(timedelta(days=2))

    stream.read()  # to its end, or the test ends by its time
    wait_until(lambda: len(plane.edge._notices) == 0)


def test_an_address_that_somebody_made_up_tells_nothing_of_tokens(
    plane: Plane, admin_token: str, opened: Streams
) -> None:
    known = {each.kind: each.id for each in list_tokens(plane.store)}
    address_of(plane)
    plane.edge._tokens.used.clear()

    told = set()
    for number in (known["sdk"], known["admin"], 999):
        answer = opened(plane, f"/ofrep/v1/events?token={number}.99999999999.{'0' * 64}")
        told.add((answer.status, answer.read()))

    assert len(told) == 1
    assert not plane.edge._tokens.used


def test_a_client_that_leaves_is_forgotten(plane: Plane, opened: Streams) -> None:
    opened(plane, address_of(plane))
    wait_until(lambda: len(plane.edge._notices) == 1)

    opened.close()

    wait_until(lambda: len(plane.edge._notices) == 0)


def test_there_is_an_end_to_the_streams_of_a_process(plane: Plane, opened: Streams, monkeypatch) -> None:
    monkeypatch.setattr(notices, "MOST", 1)
    address = address_of(plane)
    opened(plane, address)

    refused = opened(plane, address)

    assert (refused.status, refused.getheader("retry-after")) == (503, "30")


def test_every_listener_of_an_environment_hears_every_change(plane: Plane, flag, opened: Streams) -> None:
    heard = [events(opened(plane, address_of(plane))) for _ in range(3)]
    assert len({next(each)["id"] for each in heard}) == 1

    disable_flag(plane.store, BRIDGE, a_cause())
    first = [next(each)["id"] for each in heard]
    enable_flag(plane.store, BRIDGE, a_cause())
    second = [next(each)["id"] for each in heard]

    assert len(set(first)) == len(set(second)) == 1
    assert first != second


def test_a_server_that_stops_lets_its_listeners_go(plane: Plane, opened: Streams) -> None:
    address = address_of(plane)
    stream = opened(plane, address)

    plane.release()

    stream.read()  # to its end, or the test ends by its time
    assert opened(plane, address).status == 503


def test_every_process_with_the_same_secret_key_opens_the_addresses_of_the_others(store, sdk_token, clock) -> None:
    tokens = TokenTable(clock)
    tokens.replace(list_tokens(store))
    visitor = tokens.admit(f"Bearer {sdk_token}".encode())
    keys = [make_brain(store, Clockwork(), clock, each).ticket_key for each in ("ours", "ours", "another's")]
    one, another, stranger = (Tickets(key, tokens, clock) for key in keys)

    assert another.admit(one.issue(visitor)) == visitor
    with pytest.raises(Problem):
        stranger.admit(one.issue(visitor))
    assert b"ours" not in keys[0]
