"""What every test may ask for: a database of each kind. Fixtures for one room stand in that room's conftest."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.infrastructure.ephemeral_postgres import (
    EphemeralPostgres,
    PostgresUnavailableError,
    find_binaries,
)

# A busy machine is no reason to fail: no example is held to a time.
settings.register_profile("house", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

IN_CI = os.environ.get("CI") == "true"
# Taken out of the environment: a server that a test starts refuses settings it does not know.
WITHOUT_POSTGRES = os.environ.pop("THROWBAR_TEST_WITHOUT_POSTGRES", "") == "1" and not IN_CI


def pytest_report_header() -> list[str]:
    return ["WITHOUT POSTGRESQL: its tests are skipped, by your wish"] if WITHOUT_POSTGRES else []


@pytest.fixture(scope="session")
def postgres() -> Iterator[EphemeralPostgres]:
    """One server for the whole run; most tests want `postgres_url` or `database_url` instead."""
    if WITHOUT_POSTGRES:
        pytest.skip("THROWBAR_TEST_WITHOUT_POSTGRES=1")
    try:
        server = EphemeralPostgres(find_binaries())
        server.__enter__()
    except PostgresUnavailableError as error:
        pytest.fail(str(error), pytrace=False)
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: EphemeralPostgres) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite file; it exists from the first connection on."""
    return f"sqlite:///{tmp_path / 'throwbar.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database: each test that asks for it runs once on SQLite and once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
