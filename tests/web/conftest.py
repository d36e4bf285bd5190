"""A control plane with its doors, on real SQLite, and callers of every kind."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from web.app import make_routes, wire

FLAGS = "/api/v1/environments/production/flags"


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, span: timedelta) -> None:
        self.now += span


class Api:
    """A machine with a token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.token = token

    def __call__(self, method, path, document=None, *, version=None, **rest):
        headers = {"Authorization": f"Bearer {self.token}", **rest.pop("headers", {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        path = path if path.startswith("/api/") else FLAGS + path
        return self.client.open(path, method=method, json=document, headers=headers, **rest)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(migrated_sqlite_url: str) -> Settings:
    return Settings(database_url=migrated_sqlite_url)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings.database_url) as opened:
        prepare(opened, settings, NOW)
        yield opened


@pytest.fixture(scope="session")
def routes() -> Flask:
    """Made once for all tests: its rules and its templates are compiled, which takes longer than most tests."""
    return make_routes()


@pytest.fixture
def app(routes: Flask, store: Store, settings: Settings, clock: Clock) -> Flask:
    return wire(routes, store, settings, clock)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def api(client: FlaskClient, store: Store) -> Api:
    """An administrator's."""
    wanted = TokenRequest(TokenKind.ADMIN, "terraform", role=Role.ADMIN)
    return Api(client, create_token(store, wanted, a_cause())[1])


@pytest.fixture
def state(store: Store):
    """What must not have moved when something was refused: audit length and snapshot version."""

    def look() -> tuple[int, int]:
        with store.reading() as uow:
            row = uow.environments.get("production")
            return row.audit_length, row.version

    return look
