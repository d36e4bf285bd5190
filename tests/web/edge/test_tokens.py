"""Who may come in at the SDK doors?"""

from datetime import timedelta

import pytest

from controlplane.usecases.tokens import list_tokens, revoke_token
from tests.builders import NOW, a_cause
from tests.web.edge.plane import FakeClock, Plane, wait_until
from web.edge.http import Problem
from web.edge.tokens import TokenTable

DOORS = [("GET", "/sdk/v1/snapshot"), ("POST", "/sdk/v1/reports"), ("GET", "/flagd/v0/flags.json")]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_nobody_comes_in_without_a_token(plane: Plane, method: str, path: str) -> None:
    answer = plane.request(method, path, token=None)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="throwbar"'
    assert "Authorization: Bearer" in answer.json["detail"]


@pytest.mark.parametrize("given", [b"Bearer", b"Bearer ", b"Basic dXNlcjpwYXNz", b"tb_sdk_x", b"Bearer \xff", b""])
def test_nor_with_something_that_is_none(given: bytes) -> None:
    with pytest.raises(Problem) as refused:
        TokenTable(FakeClock(NOW)).admit(given)

    assert refused.value.answer.status == 401


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_nor_with_an_unknown_one(plane: Plane, method: str, path: str) -> None:
    answer = plane.request(method, path, token="tb_sdk_unknown")

    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_an_admin_token_is_no_sdk_token(admin_token: str, plane: Plane, method: str, path: str) -> None:
    answer = plane.request(method, path, token=admin_token)

    assert answer.status == 403
    assert "kind sdk" in answer.json["detail"]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_a_token_opens_nothing_once_its_time_is_over(plane: Plane, clock: FakeClock, method: str, path: str) -> None:
    assert plane.request(method, path).status != 401

    clock.pass_by(timedelta(days=2))

    assert plane.request(method, path).status == 401


def test_a_revoked_token_opens_nothing_any_more(plane: Plane) -> None:
    assert plane.poll().status == 200

    revoke_token(plane.store, list_tokens(plane.store)[0].id, a_cause())

    wait_until(lambda: plane.poll().status == 401)


def test_the_scheme_may_be_spelled_in_any_case(plane: Plane) -> None:
    assert plane.request("GET", "/sdk/v1/snapshot", token=None, Authorization=f"bearer {plane.token}").status == 200


def test_an_answer_never_repeats_a_token(plane: Plane) -> None:
    answer = plane.request("GET", "/sdk/v1/snapshot", token="tb_sdk_unknown")

    assert b"tb_sdk_unknown" not in answer.body
