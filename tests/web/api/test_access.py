"""Tokens and people over HTTP: secrets are shown once, and never found again."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.web.conftest import FLAGS, Api


def test_the_secret_of_a_token_is_shown_once(api) -> None:
    made = api("POST", "/api/v1/tokens", {"kind": "sdk", "name": "bridge-api"})
    listed = api("GET", "/api/v1/tokens")
    audit = api("GET", "/api/v1/environments/production/audit")

    assert made.status_code == 201
    assert made.json["environment"] == "production"
    assert made.json["secret"].startswith("tb_sdk_")
    assert made.json["secret"] not in listed.text + audit.text
    assert "hash" not in listed.json["items"][0]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"kind": "sdk", "name": "x", "role": "admin"}, "role"),
        ({"kind": "sdk", "name": "x", "environment": "*"}, "environment"),
        ({"kind": "admin", "name": "x"}, "role"),
        ({"kind": "admin", "name": " ", "role": "viewer"}, "name"),
        ({"kind": "root", "name": "x"}, "kind"),
        ({"kind": "sdk", "name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"kind": "sdk", "name": "x", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(api, state, document, field) -> None:
    before = state()

    answer = api("POST", "/api/v1/tokens", document)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field
    assert state() == before


def test_a_revoked_token_opens_nothing_from_that_moment(api, client) -> None:
    made = api("POST", "/api/v1/tokens", {"kind": "admin", "name": "ci", "role": "viewer"}).json
    visitor = Api(client, made["secret"])
    assert visitor("GET", "").status_code == 200

    api("DELETE", f"/api/v1/tokens/{made['id']}")
    answer = visitor("GET", "")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert api("DELETE", "/api/v1/tokens/999").status_code == 404
    assert api("DELETE", "/api/v1/tokens/99999999999999999999999").status_code == 404


def test_a_token_ends_when_it_was_said_to_end(api, client, clock) -> None:
    until = (NOW + timedelta(hours=1)).isoformat()
    made = api("POST", "/api/v1/tokens", {"kind": "admin", "name": "ci", "role": "viewer", "expires_at": until}).json
    visitor = Api(client, made["secret"])

    assert visitor("GET", "").status_code == 200
    clock.go_on(timedelta(hours=1))
    assert visitor("GET", "").status_code == 401


def test_a_token_of_one_environment_is_nobody_in_another(api, client) -> None:
    api("POST", "/api/v1/environments", {"name": "staging"})
    document = {"kind": "admin", "name": "ci", "role": "admin", "environment": "staging"}
    visitor = Api(client, api("POST", "/api/v1/tokens", document).json["secret"])

    assert visitor("GET", FLAGS.replace("production", "staging")).status_code == 200
    assert visitor("GET", "").status_code == 403
    assert visitor("GET", "/api/v1/tokens").status_code == 403
    assert [each["name"] for each in visitor("GET", "/api/v1/environments").json["items"]] == ["staging"]


def test_people_are_added_given_roles_and_listed(api) -> None:
    ann = api("POST", "/api/v1/users", {"email": "Ann@Example.org", "role": "viewer"})
    changed = api("PUT", f"/api/v1/users/{ann.json['id']}", {"role": "operator", "environment": "production"})
    link = api("POST", f"/api/v1/users/{ann.json['id']}/link")

    assert ann.status_code == 201
    assert changed.json["roles"] == {"*": "viewer", "production": "operator"}
    assert api("GET", "/api/v1/users").json["items"] == [changed.json]
    assert link.json["secret"].startswith("tb_link_")
    assert link.json["secret"] not in api("GET", "/api/v1/environments/production/audit").text


def test_somebody_is_shut_out_and_let_in_again(api) -> None:
    ann = api("POST", "/api/v1/users", {"email": "ann@example.org", "role": "admin"}).json
    api("POST", "/api/v1/users", {"email": "bob@example.org", "role": "admin"})

    out = api("POST", f"/api/v1/users/{ann['id']}/disable", {"reason": "has left"})
    link = api("POST", f"/api/v1/users/{ann['id']}/link")
    again = api("POST", f"/api/v1/users/{ann['id']}/enable")

    assert out.json == {**ann, "disabled_at": NOW.isoformat()}
    assert (link.status_code, link.json["detail"]) == (409, "ann@example.org is disabled: enable them first")
    assert again.json == ann
    entry = api("GET", "/api/v1/environments/production/audit").json["items"][1]
    assert (entry["action"], entry["reason"]) == ("person:disable", "has left")


def test_the_last_administrator_is_not_shut_out(api, state) -> None:
    ann = api("POST", "/api/v1/users", {"email": "ann@example.org", "role": "admin"}).json
    before = state()

    refused = api("POST", f"/api/v1/users/{ann['id']}/disable")

    assert refused.status_code == 409
    assert refused.json["detail"] == "ann@example.org is the last administrator: make somebody else one first"
    assert state() == before


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"email": "nobody", "role": "viewer"}, 422),
        ({"email": "a@b.org", "role": "emperor"}, 422),
        ({"email": "a@b.org"}, 422),
        ({"email": "a@b.org", "role": "viewer", "environment": "nowhere"}, 404),
    ],
)
def test_a_person_who_cannot_be_is_refused(api, state, document, status) -> None:
    before = state()

    assert api("POST", "/api/v1/users", document).status_code == status
    assert state() == before


def test_somebody_known_is_not_added_again(api) -> None:
    api("POST", "/api/v1/users", {"email": "ann@example.org", "role": "viewer"})

    assert api("POST", "/api/v1/users", {"email": "ANN@example.org", "role": "admin"}).status_code == 409
