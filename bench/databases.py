"""Where do benchmarks of the server keep things? In a fresh SQLite with full sync, and in a PostgreSQL of their own."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controlplane.store import Store, open_store
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.schema import upgrade_schema
from tests.builders import a_cause
from tests.infrastructure.ephemeral_postgres import EphemeralPostgres, PostgresUnavailableError, find_binaries


def stores() -> Iterator[tuple[str, Store]]:
    """(name, empty control plane with the environment `production`), one after the other."""
    with tempfile.TemporaryDirectory() as folder, _prepared(f"sqlite:///{Path(folder) / 'throwbar.db'}") as store:
        yield "SQLite", store
    try:
        server = EphemeralPostgres(find_binaries())
    except PostgresUnavailableError as error:
        print(f"without PostgreSQL: {error}", file=sys.stderr)
        return
    with server, server.database() as url, _prepared(url) as store:
        yield "PostgreSQL", store


@contextmanager
def _prepared(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        upgrade_schema(store)
        ensure_first(store, a_cause())
        yield store
