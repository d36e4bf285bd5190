"""Schema: bringing a database to this version of the program."""

from controlplane.store import Store, schema


def upgrade_schema(store: Store) -> None:
    """Create or upgrade every table. Raises SchemaMismatch when the database is newer than the program."""
    schema.upgrade(store.engine)


def schema_state(store: Store) -> tuple[str | None, str | None]:
    """The revision of the database (None when empty) and the one of the program."""
    return schema.current(store.engine), schema.newest()
