"""Does a start without Alembic know what Alembic would say?"""

from controlplane.store import open_store, revision, schema
from controlplane.usecases.schema import upgrade_schema


def test_the_numbers_of_the_files_are_the_revisions() -> None:
    assert revision.shipped() == schema.newest()


def test_an_empty_database_is_not_current_and_an_upgraded_one_is(database_url: str) -> None:
    with open_store(database_url) as store:
        empty = revision.recorded(store.engine), revision.is_current(store.engine)

        upgrade_schema(store)

        assert empty == (None, False)
        assert revision.recorded(store.engine) == schema.current(store.engine)
        assert revision.is_current(store.engine)
