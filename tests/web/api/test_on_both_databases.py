"""What a database might choke on must end at the door, on SQLite and on PostgreSQL alike."""

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause, a_flag_document
from tests.web.conftest import Api
from web.app import wire

LARGEST = 2**63 - 1


@pytest.fixture
def api(routes, migrated_url):
    settings = Settings(database_url=migrated_url, secret_key="k" * 32)
    with open_store(migrated_url) as store:
        prepare(store, settings, NOW)
        secret = create_token(store, TokenRequest(TokenKind.ADMIN, "terraform", role=Role.ADMIN), a_cause())[1]
        yield Api(wire(routes, store, settings, lambda: NOW).test_client(), secret)


def test_a_flag_is_created_changed_and_reverted(api) -> None:
    api("POST", "", a_flag_document())
    api("PUT", "/dspex-bridge/operations/echo", {"percent": 0.001}, version=1)
    api("POST", "/dspex-bridge/rollout/start", {"reason": "ünïcödé ✓"})
    api("POST", "/dspex-bridge/rollout/abort")
    answer = api("POST", "/dspex-bridge/revert", {"to_version": 2}, version=4)

    assert answer.json["operations"]["echo"]["percent"] == 0.001
    assert answer.json["version"] == 5
    assert api("GET", "/api/v1/environments/production/audit/verify").json["broken"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/api/v1/tokens/{LARGEST}"),
        ("DELETE", f"/api/v1/tokens/{LARGEST + 1}"),
        ("POST", f"/api/v1/users/{LARGEST}/link"),
        ("GET", f"/api/v1/webhooks/{LARGEST + 1}"),
        ("GET", "/api/v1/environments/%00/flags"),
        ("GET", f"/api/v1/environments/production/audit?before={LARGEST}"),
        ("GET", "/api/v1/environments/production/audit?flag=%00"),
        ("GET", "/api/v1/environments/production/audit?actor=%F0%9F%98%80"),
        ("GET", "/api/v1/environments/production/audit?since=9000-01-01T00:00:00Z"),
        ("GET", "/api/v1/environments/production/flags?search=%25%5F"),
    ],
)
def test_odd_questions_are_answered_or_refused(api, method, path) -> None:
    assert api(method, path).status_code in {200, 404, 422}


@pytest.mark.parametrize("version", [LARGEST, 10**30, 0, -1, 1.5, "1", True, None])
def test_odd_versions_are_refused(api, version) -> None:
    api("POST", "", a_flag_document())

    assert api("POST", "/dspex-bridge/revert", {"to_version": version}, version=1).status_code in {404, 422}


def test_a_delivery_whose_number_cannot_be_is_not_there(api) -> None:
    hook = {"name": "chat", "url": "https://hooks.example.org", "actions": ["*"]}
    made = api("POST", "/api/v1/webhooks", hook).json["id"]
    there = f"/api/v1/webhooks/{made}/deliveries/{LARGEST + 1}"

    assert api("GET", there).status_code == 404
    assert api("POST", f"{there}/redeliver").status_code == 404
