"""What tests of the brain ask for: a migrated store of each kind, and a lease to act with."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from controlplane.store import Store, open_store
from controlplane.store.lease import Lease
from controlplane.store.revision import is_current
from controlplane.store.tables import metadata
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.leading import lead
from controlplane.usecases.schema import upgrade_schema
from tests.builders import NOW, a_cause
from tests.infrastructure.ephemeral_postgres import EphemeralPostgres

USED_SEQUENCES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
"""


@pytest.fixture(scope="session")
def sqlite_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A control plane with the environment `production`, made once and copied for each test."""
    path = tmp_path_factory.mktemp("model") / "throwbar.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_model(postgres: EphemeralPostgres) -> Iterator[str]:
    """A database of PostgreSQL with every table, emptied for each test: making one takes a second."""
    with postgres.database() as url:
        _prepare(url)
        yield url


def _prepare(url: str) -> None:
    with open_store(url) as opened:
        upgrade_schema(opened)
        ensure_first(opened, a_cause())


def _empty(store: Store) -> None:
    """As new; a test may have taken tables away to see what happens."""
    names = {table.name for table in metadata.sorted_tables}
    with store.engine.begin() as connection:
        if names <= set(inspect(connection).get_table_names()):
            # TRUNCATE would make the files of a hundred tables and indexes anew, which takes four times as long.
            tables = reversed(metadata.sorted_tables)
            connection.execute(text("; ".join(f"DELETE FROM {table.name}" for table in tables)))
            for (used,) in connection.execute(text(USED_SEQUENCES)).all():
                connection.execute(text(f"ALTER SEQUENCE {used} RESTART"))
        else:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    if not is_current(store.engine):
        upgrade_schema(store)
    ensure_first(store, a_cause())


@pytest.fixture
def sqlite_store(sqlite_model: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty control plane with the environment `production`, on SQLite."""
    copy = shutil.copy(sqlite_model, tmp_path / "throwbar.db")
    with open_store(f"sqlite:///{copy}") as opened:
        yield opened


@pytest.fixture
def postgres_store(postgres_model: str) -> Iterator[Store]:
    """The same on PostgreSQL."""
    with open_store(postgres_model) as opened:
        _empty(opened)
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest) -> Store:
    """Each test that asks for it runs once on SQLite and once on PostgreSQL."""
    opened: Store = request.getfixturevalue("sqlite_store" if request.param == "sqlite" else "postgres_store")
    return opened


@pytest.fixture
def lease(store: Store) -> Lease:
    """The right to tick, for as long as any story lasts."""
    taken = lead(store, "test", NOW, timedelta(days=3650))
    assert taken
    return taken
