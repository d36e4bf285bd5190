"""Environments over HTTP: created, looked at, and told to ask why."""

from tests.builders import a_flag_document
from tests.web.conftest import FLAGS

HERE = "/api/v1/environments/production"


def test_an_environment_that_asks_why_names_the_reason_and_lets_the_brake_through(api, state) -> None:
    api("POST", "", a_flag_document())
    assert api("PATCH", HERE, {"require_reason": True}).json["require_reason"] is True
    before = state()

    refused = api("PUT", "/dspex-bridge/operations/echo", {"percent": 5}, version=1)
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json["errors"]] == ["reason"]
    assert state() == before

    assert api("POST", "/dspex-bridge/disable").status_code == 200
    told = api("PUT", "/dspex-bridge/operations/echo?reason=first+customers", {"percent": 5}, version=2)
    assert told.status_code == 200
    assert api("GET", f"{FLAGS}/dspex-bridge/history").json["items"][0]["reason"] == "first customers"


def test_an_environment_is_looked_at_and_only_what_can_change_is_changed(api) -> None:
    shown = api("GET", HERE).json

    assert (shown["name"], shown["flags"], shown["require_reason"]) == ("production", 0, False)
    assert api("PATCH", HERE, {"name": "other"}).status_code == 422
    assert api("PATCH", HERE, {"require_reason": "no"}).status_code == 422
    assert api("GET", "/api/v1/environments/nowhere").status_code == 404
    assert api("GET", HERE).json == shown
