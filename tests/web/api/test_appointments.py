"""Appointments, freezes and starts at a date, over HTTP."""

from datetime import timedelta

import pytest

from tests.builders import NOW, a_flag_document

FREEZES = "/api/v1/environments/production/freezes"
TOMORROW = (NOW + timedelta(days=1)).isoformat()
CHRISTMAS = {"name": "Christmas", "starts_at": NOW.isoformat(), "ends_at": TOMORROW}


@pytest.fixture
def bridge(api) -> str:
    api("POST", "", a_flag_document())
    return "/dspex-bridge"


def test_a_start_may_wait_for_a_date(api, bridge) -> None:
    answer = api("POST", f"{bridge}/rollout/start", {"at": TOMORROW, "reason": "after the audit"}).json

    assert answer["rollout"]["state"] == "scheduled"
    assert answer["rollout"]["start_at"] == TOMORROW
    assert answer["rollout"]["waiting_for"].startswith("starts at 2026-01-06 09:00")


def test_an_appointment_is_made_read_and_called_off(api, bridge) -> None:
    wish = {"deed": "percent", "at": TOMORROW, "operation": "echo", "percent": 5, "reason": "the first users"}
    made = api("POST", f"{bridge}/appointments", wish)
    listed = api("GET", f"{bridge}/appointments").json["items"]
    over = api("DELETE", f"{bridge}/appointments/{made.json['id']}?reason=later")
    again = api("DELETE", f"{bridge}/appointments/{made.json['id']}")

    assert made.status_code == 201
    assert {**wish, "id": made.json["id"]}.items() <= listed[0].items()
    assert over.json["outcome"] == "cancelled by terraform"
    assert again.status_code == 409


def test_a_freeze_is_added_read_and_taken_back(api) -> None:
    new = api("POST", FREEZES, CHRISTMAS)

    assert new.status_code == 201
    assert api("GET", FREEZES).json["items"] == [new.json]
    assert api("DELETE", f"{FREEZES}/{new.json['id']}").json == new.json
    assert api("DELETE", f"{FREEZES}/{new.json['id']}").status_code == 404
    assert api("GET", FREEZES).json["items"] == []


@pytest.mark.parametrize(
    ("path", "document", "field"),
    [
        (FREEZES, {**CHRISTMAS, "ends_at": CHRISTMAS["starts_at"]}, "ends_at"),
        (FREEZES, {**CHRISTMAS, "nmae": "typo"}, "nmae"),
        ("/dspex-bridge/appointments", {"deed": "percent", "at": TOMORROW}, "operation"),
        ("/dspex-bridge/rollout/start", {"at": "tomorrow"}, "at"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(api, bridge, state, path, document, field) -> None:
    before = state()

    answer = api("POST", path, document)

    assert answer.status_code == 422
    assert field in [each["field"] for each in answer.json["errors"]]
    assert state() == before
