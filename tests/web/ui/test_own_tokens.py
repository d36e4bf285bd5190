"""Own tokens on the profile: shown once, used in their owner's name, gone when revoked."""

import re

import pytest

from controlplane.domain.access import Role
from controlplane.usecases import flags, people
from controlplane.usecases.own_tokens import list_own_tokens
from tests.builders import a_cause, a_flag_document
from tests.web.conftest import Api
from tests.web.ui.visitor import visible

TOKENS = "/profile/tokens"
LAPTOP = {"name": "my laptop", "role": "operator", "environment": "", "lasts": "90"}
BY_TWO = {"stages": [{"percent": 1, "bake_seconds": 60, "approval": True}], "two_person": True}


def secret_in(page) -> str:
    found = re.search(r'id="secret">(tb_admin_[^<]+)<', page.text)
    assert found, visible(page)
    return found.group(1)


@pytest.fixture
def laptop(operator, client) -> Api:
    """A program of the operator."""
    return Api(client, secret_in(operator.post(TOKENS, **LAPTOP)))


def test_a_token_is_made_shown_once_and_listed(operator) -> None:
    made = operator.post(TOKENS, **LAPTOP)
    page = operator.get("/profile")

    assert made.status_code == 200
    assert secret_in(made) not in page.text
    assert "my laptop" in page.text
    assert "operator in every environment never" in visible(page)


def test_what_a_token_does_its_owner_did(operator, laptop, admin) -> None:
    assert laptop("POST", "", a_flag_document()).status_code == 201

    entry = laptop("GET", "/dspex-bridge/history").json["items"][0]
    listed = admin.text("/tokens")
    page = operator.text("/environments/production/audit?actor=operator@example.org")

    assert entry["actor"] == {"kind": "person", "name": "operator@example.org", "via": "my laptop"}
    assert "operator@example.org via token my laptop created" in page
    assert "operator@example.org for themselves" in listed
    csv = laptop("GET", "/api/v1/environments/production/audit?format=csv").text
    assert csv.splitlines()[0].endswith(",via")
    assert "person:operator@example.org" in csv


def test_nobody_approves_their_own_start_through_their_token_nor_the_other_way_round(store, operator, laptop) -> None:
    for key in ("by-token", "by-hand"):
        flags.create_flag(store, "production", a_flag_document(key=key, plan=BY_TWO), a_cause())

    assert laptop("POST", "/by-token/rollout/start").status_code == 200
    operator.done("/environments/production/flags/by-hand/rollout/start")
    by_hand = operator.post("/environments/production/flags/by-token/rollout/approve")
    by_token = laptop("POST", "/by-hand/rollout/approve")

    assert (by_hand.status_code, by_token.status_code) == (409, 409)
    assert "wants a second person: operator@example.org" in visible(by_hand)
    assert "wants a second person: operator@example.org" in by_token.json["detail"]


def test_whoever_changed_the_plan_by_a_token_approves_nothing_by_hand(store, operator, admin, laptop) -> None:
    flags.create_flag(store, "production", a_flag_document(plan=BY_TWO), a_cause())
    admin.done("/environments/production/flags/dspex-bridge/rollout/start")
    changed = {**BY_TWO, "stages": [{"percent": 1, "bake_seconds": 61, "approval": True}]}
    version = laptop("POST", "/dspex-bridge/rollout/pause").json["version"]

    assert laptop("PUT", "/dspex-bridge/plan", changed, version=version).status_code == 200
    refused = operator.post("/environments/production/flags/dspex-bridge/rollout/approve")

    assert "changed the plan of this attempt" in visible(refused)


def test_a_token_follows_its_owner_down(store, laptop) -> None:
    person = people.find_person(store, "operator@example.org")
    people.set_role(store, person.id, Role.VIEWER, a_cause())

    assert laptop("POST", "", a_flag_document()).status_code == 403
    assert laptop("GET", "").status_code == 200
    people.set_role(store, person.id, None, a_cause())
    assert laptop("GET", "").status_code == 403


def test_a_revoked_token_opens_nothing(store, operator, laptop) -> None:
    (token,) = list_own_tokens(store, people.find_person(store, "operator@example.org"))

    assert "was revoked" in operator.done(f"{TOKENS}/{token.id}/revoke")

    assert laptop("GET", "").status_code == 401
    assert operator.post(f"{TOKENS}/999/revoke").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("role", "admin"), ("role", ""), ("environment", "no-where"), ("lasts", "9")]
)
def test_what_makes_no_sense_is_told_at_its_field_and_keeps_what_was_typed(store, operator, field, value) -> None:
    refused = operator.post(TOKENS, **{**LAPTOP, field: value})

    assert refused.status_code == 422
    assert f'id="{field}-wrong"' in refused.text
    assert field == "name" or 'value="my laptop"' in refused.text
    assert list_own_tokens(store, people.find_person(store, "operator@example.org")) == []


def test_an_open_browser_is_not_enough_where_there_is_a_password(store, operator) -> None:
    person = people.find_person(store, "operator@example.org")
    operator.post("/profile/password", password="correct horse battery")

    refused = operator.post(TOKENS, **LAPTOP, current="a guess")
    made = operator.post(TOKENS, **LAPTOP, current="correct horse battery")

    assert 'id="current-wrong"' in refused.text
    assert secret_in(made)
    assert [each.name for each in list_own_tokens(store, person)] == ["my laptop"]


def test_a_token_makes_no_tokens_since_it_has_no_profile(laptop) -> None:
    answer = laptop.client.post(TOKENS, data=LAPTOP, headers={"Authorization": f"Bearer {laptop.token}"})

    assert answer.status_code == 404


def test_signing_out_everywhere_may_take_ones_tokens_along(operator, laptop) -> None:
    assert "Revoke your token as well" in operator.text("/profile")

    answer = operator.post("/profile/sign-out-everywhere", tokens="revoke")

    assert answer.status_code == 303
    assert "1 token was revoked" in visible(operator.get(answer.headers["Location"]))
    assert laptop("GET", "").status_code == 401


def test_a_new_password_may_take_ones_tokens_along_and_does_not_unasked(operator, laptop) -> None:
    operator.post("/profile/password", password="correct horse battery")
    assert laptop("GET", "").status_code == 200

    new = {"current": "correct horse battery", "password": "another horse"}
    answer = operator.post("/profile/password", **new, tokens="revoke")

    assert "1 token was revoked" in visible(operator.client.get(answer.headers["Location"], follow_redirects=True))
    assert laptop("GET", "").status_code == 401
