"""What every test may ask for: a database of each kind. Fixtures for one room stand in that room's conftest."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from controlplane.store import open_store
from controlplane.usecases.schema import upgrade_schema
from tests.infrastructure import quick_sqlite
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


@pytest.fixture(scope="session", autouse=True)
def _quick_sqlite() -> Iterator[None]:
    with quick_sqlite.without_waiting():
        yield


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


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and nothing in them, to be copied: migrating takes a hundred times as long."""
    path = tmp_path_factory.mktemp("tables") / "throwbar.db"
    with open_store(f"sqlite:///{path}") as store:
        upgrade_schema(store)
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres: EphemeralPostgres) -> Iterator[str]:
    """The name of a PostgreSQL database with every table and nothing in them, to be copied."""
    with postgres.database() as url:
        with open_store(url) as store:
            upgrade_schema(store)
        name = make_url(url).database
        assert name
        yield name


@pytest.fixture
def migrated_sqlite_url(sqlite_tables: Path, sqlite_url: str) -> str:
    """A SQLite file of its own with every table; the same as `sqlite_url`."""
    shutil.copy(sqlite_tables, str(make_url(sqlite_url).database))
    return sqlite_url


@pytest.fixture
def migrated_postgres_url(postgres: EphemeralPostgres, postgres_tables: str) -> Iterator[str]:
    """A PostgreSQL database of its own with every table."""
    with postgres.database(postgres_tables) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """As `database_url`, with every table: for tests that are not about how these come to be."""
    name = "migrated_sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    url: str = request.getfixturevalue(name)
    return url
