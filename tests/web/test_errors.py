"""One table of errors, and nothing inside is told when something breaks."""

import logging
import re

import pytest

from controlplane.domain import errors
from controlplane.domain.errors import ThrowbarError, Unreachable
from tests.web.ui.visitor import visible
from web.access import RULES, Need
from web.app import create_app
from web.errors import STATUS


def test_every_error_of_the_domain_has_its_status() -> None:
    known = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ThrowbarError)}

    assert set(STATUS) == known - {ThrowbarError}


@pytest.fixture
def breaking(store, settings, monkeypatch):
    app = create_app(store, settings)  # of its own: routes are added to it

    def fail():
        raise RuntimeError("password=hunter2")

    def away():
        raise Unreachable("the database does not answer") from OSError("db.internal refused")

    monkeypatch.setitem(RULES, "fail", Need.PUBLIC)
    monkeypatch.setitem(RULES, "away", Need.PUBLIC)
    app.add_url_rule("/api/fail", "fail", fail)
    app.add_url_rule("/page/fail", "fail", fail)
    app.add_url_rule("/api/away", "away", away)
    return app.test_client()


@pytest.mark.parametrize("path", ["/v1/traces", "/ofrep/v1/configuration", "/flagd/v0/rules", "/sdk/v2/snapshot"])
def test_a_service_at_a_door_that_there_is_not_is_told_so_in_json(app, path) -> None:
    answer = app.test_client().post(path, json={})

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.json["detail"] == "there is nothing at this address"


@pytest.mark.parametrize("path", ["/api/fail", "/page/fail"])
def test_what_nobody_expected_is_logged_by_its_id_and_not_told(breaking, caplog, path) -> None:
    with caplog.at_level(logging.ERROR):
        answer = breaking.get(path, headers={"X-Request-Id": "r-42"})

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "r-42" in answer.text
    if answer.mimetype == "text/html":
        style = re.search(r'<link rel="stylesheet" href="([^"]+)">', answer.text)
        assert style
        with breaking.get(style[1]) as found:
            assert found.status_code == 200
        assert "To the flags" in answer.text
    assert "r-42" in caplog.text
    assert "hunter2" in caplog.text


def test_a_database_that_is_away_is_told_without_its_address(breaking) -> None:
    answer = breaking.get("/api/away")

    assert answer.status_code == 503
    assert "db.internal" not in answer.text


def test_a_wrong_method_is_told_as_a_problem(api) -> None:
    answer = api("PUT", "")

    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert "POST" in answer.headers["Allow"]
    assert answer.json["detail"].startswith("this address does not answer ")


def test_a_page_that_is_not_there_is_told_as_a_page(client) -> None:
    answer = client.get("/nothing/here", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "There is nothing at this address." in answer.text
    assert "URL" not in visible(answer)
