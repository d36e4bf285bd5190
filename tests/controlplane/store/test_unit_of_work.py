import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from controlplane.store import engine, open_store
from tests.builders import NOW
from tests.infrastructure import quick_sqlite


def test_leaving_without_commit_takes_everything_back(store):
    with store.writing() as uow:
        uow.counters.add("seen", 5)

    with store.reading() as uow:
        assert uow.counters.get("seen") == 0


def test_an_error_takes_everything_back(store):
    def interrupted():
        with store.writing() as uow:
            uow.counters.add("seen", 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()

    with store.reading() as uow:
        assert uow.counters.get("seen") == 0


def test_what_was_committed_is_there_for_everybody_and_after_reopening(store):
    with store.writing() as uow:
        uow.counters.add("seen", 5)
        uow.commit()

    with open_store(store.engine.url.render_as_string(hide_password=False)) as again, again.reading() as uow:
        assert uow.counters.get("seen") == 5


def test_a_reader_sees_one_moment(store):
    with store.reading() as reader:
        before = reader.environments.get("production").version
        with store.writing() as uow:
            uow.environments.raise_version(uow.environments.get("production", lock=True))
            uow.commit()
        assert reader.environments.get("production").version == before

    with store.reading() as reader:
        assert reader.environments.get("production").version == before + 1


def test_counters_add_up(store):
    with store.writing() as uow:
        uow.counters.add("a:one")
        uow.counters.add("a:one", 4)
        uow.counters.add("b:one")
        uow.commit()

    with store.reading() as uow:
        assert uow.counters.starting_with("a:") == {"a:one": 5}
        assert uow.counters.starting_with("%") == {}


def test_an_instant_comes_back_as_utc(store):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30))) + timedelta(microseconds=123_456)
    with store.writing() as uow:
        uow.environments.add("staging", "s", elsewhere)
        uow.commit()

    with store.reading() as uow:
        back = uow.environments.get("staging").created_at
    assert back == elsewhere
    assert back.tzinfo is UTC


def test_an_instant_without_a_time_zone_is_refused(store):
    with pytest.raises(StatementError, match="has no time zone"), store.writing() as uow:
        uow.environments.add("staging", "s", datetime(2026, 1, 1))


def test_a_row_without_its_parent_is_refused(store):
    with pytest.raises(IntegrityError), store.writing() as uow:
        uow.journal.append(999, NOW, b"[]")


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 15_000)]
)
def test_sqlite_is_opened_with_the_switches_that_make_it_safe(sqlite_url, monkeypatch, pragma, value):
    monkeypatch.setattr(engine, "_prepare", quick_sqlite.as_operated)
    with open_store(sqlite_url) as opened:
        for _ in range(2):  # on every connection, not on the first one only
            with opened.engine.connect() as connection:
                assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
            opened.engine.dispose()


def test_who_opens_a_new_sqlite_file_while_another_looks_at_it_waits(tmp_path):
    """SQLite itself does not wait for that, however much patience it is given."""
    refused = []

    class Second(sqlite3.Connection):
        def execute(self, *statement):
            try:
                return super().execute(*statement)
            except sqlite3.OperationalError as error:
                refused.append(str(error))
                first.rollback()
                raise

    path = tmp_path / "throwbar.db"
    with closing(sqlite3.connect(path)) as first:
        first.execute("CREATE TABLE there (id)")
        first.execute("BEGIN")
        first.execute("SELECT * FROM there").fetchall()
        with closing(sqlite3.connect(path, timeout=0.1, factory=Second)) as second:
            engine._prepare(second, None)

            assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert refused == ["database is locked"]


def test_a_sqlite_file_that_may_only_be_read_is_told_of_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(engine.time, "sleep", lambda _: pytest.fail("it waited"))
    path = tmp_path / "throwbar.db"
    with closing(sqlite3.connect(path)) as before:
        before.execute("CREATE TABLE there (id)")

    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="attempt to write a readonly database"),
    ):
        engine._prepare(connection, None)


def test_a_new_sqlite_file_gets_its_folder(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/deep/down/throwbar.db") as opened, opened.engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    assert (tmp_path / "deep/down/throwbar.db").exists()
