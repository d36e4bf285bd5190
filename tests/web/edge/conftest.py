"""An edge as services meet it: over a real socket, with a real database behind it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import NOW, a_cause
from tests.web.edge.plane import FakeClock, Plane, serving


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store(migrated_sqlite_url: str) -> Iterator[Store]:
    with open_store(migrated_sqlite_url) as opened:
        prepare(opened, Settings(database_url=migrated_sqlite_url), NOW)
        yield opened


@pytest.fixture
def sdk_token(store: Store) -> str:
    wanted = TokenRequest(TokenKind.SDK, "bridge-api", expires_at=NOW + timedelta(days=1))
    return create_token(store, wanted, a_cause())[1]


@pytest.fixture
def admin_token(store: Store) -> str:
    return create_token(store, TokenRequest(TokenKind.ADMIN, "terraform", role=Role.ADMIN), a_cause())[1]


@pytest.fixture
def plane(store: Store, sdk_token: str, clock: FakeClock) -> Iterator[Plane]:
    with serving(store, clock, sdk_token) as running:
        yield running
