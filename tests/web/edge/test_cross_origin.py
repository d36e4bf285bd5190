"""May pages of the origins that are named ask by OFREP, and of others none; and does nothing else open to them?"""

from collections.abc import Iterator

import pytest

from tests.web.edge.plane import FakeClock, Plane, Response, serving

BULK = "/ofrep/v1/evaluate/flags"
OURS, THEIRS = "https://app.example.org", "https://evil.example"
ALLOWED = "access-control-allow-origin"


@pytest.fixture
def open_plane(store, clock: FakeClock, sdk_token: str) -> Iterator[Plane]:
    with serving(store, clock, sdk_token, origins=f"{OURS}, http://localhost:3000") as started:
        yield started


def preflight(plane: Plane, path: str, origin: str = OURS, method: str = "POST") -> Response:
    asked = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": "authorization,traceparent"}
    return plane.request("OPTIONS", path, token=None, Origin=origin, **asked)


@pytest.mark.parametrize("path", [BULK, f"{BULK}/dspex-bridge"])
def test_a_browser_may_ask_what_a_page_needs(open_plane: Plane, path: str) -> None:
    answer = preflight(open_plane, path)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers[ALLOWED] == OURS
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,traceparent"
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


def test_answers_and_refusals_can_be_read_by_the_page(open_plane: Plane) -> None:
    answers = [
        open_plane.request("POST", BULK, b"{}", Origin=OURS),
        open_plane.request("POST", f"{BULK}/nobody", b"{}", Origin=OURS),
        open_plane.request("POST", BULK, b"{}", token=None, Origin=OURS),
        open_plane.request("GET", BULK, Origin=OURS),
        open_plane.request("GET", "/ofrep/v1/events?token=x", token=None, Origin=OURS),
    ]

    assert [each.status for each in answers] == [200, 404, 401, 405, 401]
    assert {each.headers[ALLOWED] for each in answers} == {OURS}
    assert {each.headers["access-control-expose-headers"] for each in answers} == {"ETag, Retry-After"}


def test_a_stream_can_be_read_by_the_page(open_plane: Plane) -> None:
    (stream,) = open_plane.request("POST", BULK, b"{}").json["eventStreams"]
    connection = open_plane.connect()
    connection.request("GET", stream["endpoint"]["requestUri"], headers={"Origin": OURS})
    answer = connection.getresponse()
    told = (answer.status, answer.getheader(ALLOWED))
    answer.close()
    connection.close()

    assert told == (200, OURS)


def test_what_is_held_can_be_asked_for_again(open_plane: Plane) -> None:
    held = open_plane.request("POST", BULK, b"{}", Origin=OURS).headers["etag"]
    again = open_plane.request("POST", BULK, b"{}", Origin=OURS, If_None_Match=held)

    assert (again.status, again.headers[ALLOWED]) == (304, OURS)


def test_other_origins_are_told_nothing_of_it(open_plane: Plane) -> None:
    refused = preflight(open_plane, BULK, THEIRS)

    assert refused.status == 405
    assert ALLOWED not in refused.headers
    assert ALLOWED not in open_plane.request("POST", BULK, b"{}", Origin=THEIRS).headers


@pytest.mark.parametrize(
    "path", ["/sdk/v1/snapshot", "/sdk/v1/reports", "/v1/metrics", "/flagd/v0/flags.json", "/api/v1"]
)
def test_no_other_door_opens_to_pages(open_plane: Plane, path: str) -> None:
    assert ALLOWED not in preflight(open_plane, path).headers
    assert ALLOWED not in open_plane.request("GET", path, Origin=OURS).headers


def test_every_origin_where_all_are_meant(store, clock: FakeClock, sdk_token: str) -> None:
    with serving(store, clock, sdk_token, origins="*") as plane:
        assert preflight(plane, BULK, THEIRS).headers[ALLOWED] == "*"
        assert plane.request("POST", BULK, b"{}", Origin=THEIRS).headers[ALLOWED] == "*"


def test_without_the_setting_there_is_none_of_it(plane: Plane) -> None:
    assert preflight(plane, BULK).status == 405
    assert ALLOWED not in plane.request("POST", BULK, b"{}", Origin=OURS).headers
