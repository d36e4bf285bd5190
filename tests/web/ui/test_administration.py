"""Environments, calendar, settings and the API's own page: do they show what is there, and change only what they may?"""

import pytest

from controlplane.settings import Settings, shown_settings
from controlplane.usecases.environments import wants_reason
from controlplane.usecases.freezes import list_freezes
from tests.web.ui.visitor import visible

CALENDAR = "/environments/production/calendar"
FREEZE = {"name": "Christmas", "starts_at": "2026-12-20T00:00", "ends_at": "2027-01-02T08:30"}


def test_a_freeze_is_set_seen_and_ended(store, operator) -> None:
    told = operator.done(f"{CALENDAR}/freezes", **FREEZE)
    (freeze,) = list_freezes(store, "production")

    assert "Christmas" in told
    assert freeze.ends_at.isoformat() == "2027-01-02T08:30:00+00:00"
    assert "freeze Christmas, 2026-12-20 00:00 to 2027-01-02 08:30 UTC" in operator.text(
        "/environments/production/audit"
    )
    operator.done(f"{CALENDAR}/freezes/{freeze.id}/remove")
    assert list_freezes(store, "production") == []


@pytest.mark.parametrize(("field", "value"), [("name", " "), ("starts_at", ""), ("ends_at", "2026-12-19T00:00")])
def test_a_freeze_nobody_can_keep_is_told_at_its_field_and_keeps_what_was_typed(store, operator, field, value) -> None:
    refused = operator.post(f"{CALENDAR}/freezes", **{**FREEZE, field: value})

    assert refused.status_code == 422
    assert f'id="{field}-wrong"' in refused.text
    assert "2027-01-02T08:30" in refused.text or "Christmas" in refused.text
    assert list_freezes(store, "production") == []


def test_an_administrator_lets_the_environment_ask_why_and_others_may_not(store, admin, operator) -> None:
    assert operator.post(f"{CALENDAR}/reasons", require_reason="yes").status_code == 403
    admin.done(f"{CALENDAR}/reasons", require_reason="yes")
    refused = operator.post(f"{CALENDAR}/freezes", **FREEZE)

    assert wants_reason(store, "production")
    assert 'id="reason-wrong"' in refused.text
    admin.done(f"{CALENDAR}/reasons", require_reason="no", reason="too much")
    assert not wants_reason(store, "production")


def test_a_viewer_reads_the_calendar_and_finds_nothing_to_press(viewer) -> None:
    page = viewer.get(CALENDAR).text

    assert "<form" not in page[page.index("<main") :]


def test_an_environment_is_made_once(admin) -> None:
    assert "staging was created" in admin.done("/environments", name="staging")
    assert admin.post("/environments", name="staging").status_code == 409
    assert 'id="name-wrong"' in admin.post("/environments", name="not a name").text
    assert "staging" in admin.text("/environments")


def test_settings_are_shown_without_a_secret(admin) -> None:
    page = admin.text("/settings")

    assert "THROWBAR_TICK_SECONDS 5.0 the default" in page
    assert "THROWBAR_SECRET_KEY not set" in page


@pytest.mark.parametrize(
    "url", ["u:s3cret@db/x", "u:s3c@cret@db/x", "db/x?password=s3cret", ":s3cret@db/x", "u:a/s3cret@db/x"]
)
def test_no_secret_is_shown_of_any_setting(url) -> None:
    secrets = ("secret_key", "admin_password", "bootstrap_admin_token", "bootstrap_sdk_token")
    given = Settings(database_url=f"postgresql+psycopg://{url}", **dict.fromkeys(secrets, "s3cret-and-long-enough"))

    shown = shown_settings(given)

    assert "cret" not in repr([value for name, value in shown.items() if name != "secret_key"])
    assert shown["secret_key"] == "set, not shown"
    assert "db/x" in shown["database_url"]
    assert set(shown) == set(Settings.model_fields)


def test_the_page_of_the_api_has_every_address_of_the_description_and_needs_no_sign_in(client) -> None:
    document = client.get("/api/v1/openapi.json").json
    page = client.get("/docs")

    assert page.status_code == 200
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in visible(page)
            assert f'id="{operation["operationId"]}"' in page.text
    assert all(f'id="schema-{name}"' in page.text for name in document["components"]["schemas"])
