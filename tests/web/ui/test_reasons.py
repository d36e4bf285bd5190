"""Where an environment asks why, each form does, but for the brakes."""

import re

import pytest

from controlplane.domain.access import Role
from controlplane.usecases import people, tokens
from controlplane.usecases.environments import set_environment
from tests.builders import a_cause
from tests.web.ui.visitor import FLAG, visible


@pytest.fixture
def strict(store, flag) -> None:
    set_environment(store, "production", a_cause(), require_reason=True)


def reasons(page: str) -> dict[str, bool]:
    """Each reason field of a page by its form's address, and whether it must be filled in."""
    forms = re.findall(r'<form method="post" action="([^"]+)".*?</form>', page, flags=re.DOTALL)
    bodies = re.findall(r'<form method="post" action="[^"]+"(.*?)</form>', page, flags=re.DOTALL)
    fields = [re.search(r'<input[^>]* name="reason"[^>]*>', body) for body in bodies]
    return {
        address.rpartition("/dspex-bridge/")[2]: " required" in field.group()
        for address, field in zip(forms, fields, strict=True)
        if field
    }


@pytest.mark.usefixtures("strict")
def test_changes_must_say_why_and_brakes_need_not(operator) -> None:
    found = reasons(operator.get(FLAG).text)

    assert found["disable"] is False
    assert found["rollout/rollback"] is False
    assert found["rollout/start"] is True
    assert found["operations"] is True
    assert found["archive"] is True


@pytest.mark.usefixtures("flag")
def test_elsewhere_a_reason_is_an_offer(operator) -> None:
    assert not any(reasons(operator.get(FLAG).text).values())


@pytest.mark.usefixtures("strict")
def test_a_form_without_a_reason_is_told_so_at_the_field(operator) -> None:
    refused = operator.post(f"{FLAG}/operations/echo", percent="5", expected="1")
    edited = operator.post(f"{FLAG}/edit", expected="1", baseline="a", candidate="b", operations="echo")

    assert (refused.status_code, edited.status_code) == (422, 422)
    assert "reason is missing: 'production' wants to know why" in visible(refused)
    assert 'id="reason-wrong"' in edited.text
    assert "Disabled" in operator.done(f"{FLAG}/disable")


@pytest.mark.usefixtures("strict")
def test_tokens_and_people_say_why_as_well_and_shutting_out_needs_no_words(store, admin) -> None:
    token = {"kind": "sdk", "name": "bridge-api", "environment": "production"}
    guest = {"email": "eve@example.org", "role": "viewer", "environment": "production"}

    refused = [admin.post("/tokens", **token), admin.post("/people", **guest)]
    admin.post("/tokens", **token, reason="a new service")
    admin.post("/people", **guest, reason="she is new")
    eve = people.find_person(store, "eve@example.org")
    promoted = admin.post(f"/people/{eve.id}/role", role="admin", environment="production")
    (made,) = tokens.list_tokens(store)

    assert all('id="reason-wrong"' in each.text for each in refused)
    assert "reason is missing" in visible(promoted)
    assert "was revoked" in admin.done(f"/tokens/{made.id}/revoke")
    assert "was changed" in admin.done(f"/people/{eve.id}/role", role="", environment="production")
    assert eve.role_in("production") is Role.VIEWER


@pytest.mark.usefixtures("strict")
def test_the_first_hour_and_ones_own_tokens_ask_as_well(admin) -> None:
    start = "/environments/production/start"
    own = {"name": "laptop", "role": "admin", "environment": "production", "lasts": ""}

    assert reasons(admin.get(start).text)[start] is True
    assert admin.post(start).status_code == 422
    assert "THROWBAR_TOKEN=tb_sdk_" in admin.post(start, reason="trying it").text
    assert 'id="reason-wrong"' in admin.post("/profile/tokens", **own).text
    assert 'id="secret"' in admin.post("/profile/tokens", **own, reason="my shell").text


@pytest.mark.usefixtures("strict")
def test_the_calendar_says_that_it_is_asked_and_ends_it(admin) -> None:
    page = "/environments/production/calendar"
    assert "Each change here must say why." in admin.text(page)
    form = re.search(r'name="require_reason" value="(\w+)"', admin.get(page).text)

    assert "Nobody is asked why any more" in admin.done(f"{page}/reasons", require_reason=form[1], reason="enough")
    assert "A reason is an offer here" in admin.text(page)
