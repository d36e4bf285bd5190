"""Starting: what every process makes sure of before it serves: the schema, the first environment, the given tokens."""

from datetime import datetime

from controlplane.domain.audit import Actor, ActorKind
from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.store.revision import is_current
from controlplane.usecases.changing import Cause
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.tokens import bootstrap_tokens


def prepare(store: Store, settings: Settings, now: datetime) -> None:
    """Safe to do at every start. Raises SchemaMismatch when the database is newer than the program."""
    if not is_current(store.engine):
        from controlplane.usecases.schema import upgrade_schema  # noqa: PLC0415 - Alembic: a third of a second

        upgrade_schema(store)
    ensure_first(store, Cause(Actor(ActorKind.PERSON, "first start"), now))
    bootstrap_tokens(store, settings, now)
