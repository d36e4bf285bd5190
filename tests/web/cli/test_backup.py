"""Does a backup hold one moment of a database in use, and do services obey what was restored?"""

import http.client
import json
import signal
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from controlplane.store import open_store
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.schema import upgrade_schema
from tests.builders import a_cause, a_flag_document
from tests.infrastructure.server_process import PATIENCE, SDK_TOKEN, ServerProcess
from web.cli import main

HERE = Place("production", "dspex-bridge")


@pytest.fixture
def database(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "throwbar.db"
    monkeypatch.setenv("THROWBAR_DATABASE_URL", f"sqlite:///{path}")
    with open_store(f"sqlite:///{path}") as store:
        upgrade_schema(store)
        ensure_first(store, a_cause())
        flags.create_flag(store, "production", a_flag_document(), a_cause())
    return path


def run(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def change(database: Path, times: int) -> None:
    with open_store(f"sqlite:///{database}") as store:
        for number in range(times):
            flags.set_operation(store, HERE, "echo", {"percent": number + 1}, a_cause())


def percent(database: Path) -> float:
    with open_store(f"sqlite:///{database}") as store:
        return flags.get_flag(store, HERE).operations["echo"].share / 1000


def version(database: Path) -> tuple[str, int]:
    with open_store(f"sqlite:///{database}") as store, store.reading() as uow:
        row = uow.environments.get("production")
        return row.source, row.version


def test_a_backup_is_restored_with_what_it_had_and_services_are_told_that_versions_count_anew(database, tmp_path):
    change(database, 2)
    assert run("backup", tmp_path / "backup.db").exit_code == 0
    backed_up = version(database)
    change(database, 7)

    restored = run("restore", tmp_path / "backup.db")

    assert restored.exit_code == 0, restored.output
    assert percent(database) == 2
    source, number = version(database)
    assert (source != backed_up[0], number) == (True, backed_up[1])
    assert run("audit", "verify").exit_code == 0
    assert "from backup.db" in run("audit", "list").output


def test_what_was_there_before_is_kept(database, tmp_path):
    run("backup", tmp_path / "backup.db")
    change(database, 5)

    told = json.loads(run("restore", tmp_path / "backup.db", "--json").output)

    assert percent(Path(told["kept"])) == 5


def test_a_database_that_is_gone_or_damaged_is_restored_as_well(database, tmp_path):
    change(database, 3)
    run("backup", tmp_path / "backup.db")

    for loss in (database.unlink, lambda: database.write_bytes(b"noise" * 1000)):
        loss()
        for ending in ("-wal", "-shm"):
            database.with_name(database.name + ending).unlink(missing_ok=True)

        assert run("restore", tmp_path / "backup.db").exit_code == 0
        assert percent(database) == 3


def test_without_a_file_what_was_put_back_by_other_means_gets_a_new_source(database):
    before = version(database)

    assert run("restore").exit_code == 0

    assert (version(database)[0] != before[0], version(database)[1]) == (True, before[1])
    assert "put back by other means" in run("audit", "list").output


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\1" * 5000])
def test_a_file_that_is_no_backup_is_refused_and_changes_nothing(database, tmp_path, content):
    (tmp_path / "backup.db").write_bytes(content)
    change(database, 4)
    before = version(database)

    refused = run("restore", tmp_path / "backup.db")

    assert refused.exit_code == 1
    assert "is no backup of Throwbar" in refused.output
    assert (percent(database), version(database)) == (4, before)


def test_a_database_of_something_else_is_refused(database, tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE things (id INTEGER)")

    assert "is no backup of Throwbar" in run("restore", tmp_path / "other.db").output


def test_a_backup_never_overwrites_a_file(database, tmp_path):
    (tmp_path / "backup.db").write_text("precious")

    refused = run("backup", tmp_path / "backup.db")

    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert (tmp_path / "backup.db").read_text() == "precious"


def test_the_database_itself_is_no_backup_of_itself(database):
    assert "is the database itself" in run("restore", database).output


@pytest.mark.parametrize("words", [("backup", "backup.db"), ("restore", __file__)])
def test_on_postgresql_its_own_tools_are_named(monkeypatch, words):
    monkeypatch.setenv("THROWBAR_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/throwbar")
    monkeypatch.setenv("THROWBAR_SECRET_KEY", "a secret key of the tests")

    refused = run(*words)

    assert refused.exit_code == 1
    assert "use pg_dump and pg_restore" in refused.output


@pytest.mark.slow
def test_a_backup_of_a_running_server_is_restored_only_when_that_has_ended(database, tmp_path):
    with ServerProcess(tmp_path, f"sqlite:///{database}", "--port", "0", tick_seconds="0.2") as server:
        server.until_ready()
        old = _snapshot(server.port)
        server.until(lambda: run("restore", tmp_path / "backup.db").exit_code == 2)  # there is none yet
        assert run("backup", tmp_path / "backup.db").exit_code == 0
        server.until(lambda: "a scheduler is at work" in run("restore", tmp_path / "backup.db").output)
        change(database, 5)
        server.send_signal(signal.SIGTERM)
        server.wait()

    assert run("restore", tmp_path / "backup.db").exit_code == 0

    with ServerProcess(tmp_path, f"sqlite:///{database}", "--port", "0") as server:
        new = _snapshot(server.until_ready().port)
    assert new["version"] <= old["version"]
    assert new["source"] != old["source"]
    assert new["flags"]["dspex-bridge"]["operations"]["echo"]["share"] == 0


def _snapshot(port: int) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/sdk/v1/snapshot", headers={"Authorization": f"Bearer {SDK_TOKEN}"})
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found
