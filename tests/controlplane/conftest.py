"""What tests of the brain ask for: a migrated store of each kind, and a lease to act with."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from controlplane.store import Store, open_store
from controlplane.store.lease import Lease
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.leading import lead
from controlplane.usecases.schema import upgrade_schema
from tests.builders import NOW, a_cause


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty control plane with the environment `production`, on SQLite and on PostgreSQL."""
    with open_store(database_url) as opened:
        upgrade_schema(opened)
        ensure_first(opened, a_cause())
        yield opened


@pytest.fixture
def lease(store: Store) -> Lease:
    """The right to tick, for as long as any story lasts."""
    taken = lead(store, "test", NOW, timedelta(days=3650))
    assert taken
    return taken
