"""Is the PostgreSQL of the tests a real one, is each database fresh, and is nothing left behind?"""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from tests.infrastructure.ephemeral_postgres import (
    EphemeralPostgres,
    PostgresUnavailableError,
    find_binaries,
)


def scalar(url: str, query: str, *before: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in before:
                connection.execute(text(statement))
            return connection.execute(text(query)).scalar_one()
    finally:
        engine.dispose()


def test_a_real_postgresql_answers(postgres_url: str) -> None:
    assert str(scalar(postgres_url, "SELECT version()")).startswith("PostgreSQL")


def test_two_databases_share_nothing(postgres: EphemeralPostgres) -> None:
    with postgres.database() as one, postgres.database() as other:
        scalar(one, "SELECT 1", "CREATE TABLE flags (id int)")

        with pytest.raises(ProgrammingError, match='relation "flags" does not exist'):
            scalar(other, "SELECT count(*) FROM flags")


def test_a_database_is_dropped_even_while_somebody_holds_it(postgres: EphemeralPostgres) -> None:
    with postgres.database() as url:
        held = psycopg.connect(url.replace("+psycopg", ""))

    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    held.close()


def test_a_killed_server_comes_back_with_its_data() -> None:
    with EphemeralPostgres(find_binaries()) as server, server.database() as url:
        scalar(url, "SELECT 1", "CREATE TABLE flags (id int)", "INSERT INTO flags VALUES (7)")

        server.kill()
        server.start()

        assert scalar(url, "SELECT id FROM flags") == 7


def test_a_wrong_pgbin_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGBIN", str(tmp_path))

    with pytest.raises(PostgresUnavailableError, match="NO POSTGRESQL FOR THE TESTS"):
        find_binaries()


def test_each_test_gets_its_database_on_both_engines(database_url: str) -> None:
    assert scalar(database_url, "SELECT 40 + 2") == 42
