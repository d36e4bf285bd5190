"""Engine: one way to open SQLite and PostgreSQL, with the switches that each needs to be safe."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from controlplane.domain.errors import Unreachable

WRITES = "throwbar_writes"
BUSY_MILLISECONDS = 15_000


def _written(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    return msgspec.json.encode(value).decode()


# A fifth of the time of the standard library's, and a tick is made of JSON.
_JSON: dict[str, Any] = {"json_serializer": _written, "json_deserializer": msgspec.json.decode}


def open_engine(database_url: str) -> Engine:
    """An engine with its own pool; for SQLite the folder of the file is made."""
    if database_url.startswith("sqlite"):
        return _sqlite(database_url)
    return create_engine(database_url, pool_size=10, max_overflow=10, pool_pre_ping=True, **_JSON)


@contextmanager
def answering() -> Iterator[None]:
    """Above the store nobody knows SQLAlchemy, and yet must tell a database that is away from a bug."""
    try:
        yield
    except (DBAPIError, OSError) as error:
        if isinstance(error, OperationalError | OSError) or error.connection_invalidated:
            raise Unreachable("the database does not answer") from error
        raise


def _sqlite(database_url: str) -> Engine:
    path = make_url(database_url).database
    if path:
        with answering():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(database_url, connect_args={"timeout": BUSY_MILLISECONDS / 1000}, **_JSON)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's pool record
    # The driver's own transaction handling starts writing transactions too late to be serial; we say BEGIN ourselves.
    connection.isolation_level = None
    _write_ahead(connection)
    for pragma in (
        "synchronous = FULL",  # an acknowledged flip must survive the plug being pulled
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_MILLISECONDS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Whoever opens a new file changes how it is written, and SQLite lets nobody wait for that: of processes that start
    together the second would be told at once that it is locked.
    """
    patience = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > patience:
                raise
        time.sleep(0.01)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """What time may mend; a file that cannot be opened or written is told of at once."""
    primary: int = error.sqlite_errorcode & 0xFF  # the rest is in which way it is busy
    return primary == sqlite3.SQLITE_BUSY


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
