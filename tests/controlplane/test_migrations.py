import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

import migrations
from controlplane.domain.destination import Allowed
from controlplane.domain.errors import SchemaMismatch, Unreachable
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.webhook import Wanted
from controlplane.store import Store, open_store, schema
from controlplane.store.revision import is_current, shipped
from controlplane.store.tables import metadata
from controlplane.usecases import flags, history, webhooks
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.leading import lead
from controlplane.usecases.schema import schema_state, upgrade_schema
from controlplane.usecases.sealing import Seal
from controlplane.usecases.telemetry import record_reports
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report

LIVED_IN = {"flags", "journal", "buckets", "watches", "leases", "webhooks", "webhook_deliveries"}
REVISIONS = [each.revision for each in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()][::-1]


@pytest.fixture
def empty(database_url):
    with open_store(database_url) as opened:
        yield opened


def tables_of(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def lived_in(store: Store) -> None:
    """Rows in flags, versions, audit, journal, buckets, watches, instances, leases, counters and webhooks."""
    ensure_first(store, a_cause())
    document = a_flag_document(operations={"echo": {"percent": 1}})
    flags.create_flag(store, "production", document, a_cause())
    cells = [a_cell(), a_cell(side="baseline", backend="python_pool_v2"), a_cell(flag="unknown")]
    record_reports(store, [a_report(*cells)], NOW)
    lease = lead(store, "test", NOW, timedelta(days=1))
    assert lease
    tick(store, lambda: NOW + timedelta(seconds=60), Clockwork(), lease)
    record_reports(store, [a_report(a_cell(), sequence=2)], NOW)
    wanted = Wanted("chat", "https://hooks.example.org/")
    webhooks.create_webhook(store, wanted, Seal("k" * 32), Allowed(), a_cause())
    webhooks.send_test(store, 1, a_cause())


def rows_of(engine: Engine) -> dict[str, int]:
    there = tables_of(engine)
    with engine.connect() as connection:
        kept = [table for table in metadata.sorted_tables if table.name in there]
        return {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in kept}


def test_the_tables_are_those_the_migrations_make(empty):
    upgrade_schema(empty)

    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_go_up_one_by_one_and_down_again(empty):
    for revision in REVISIONS:
        schema.upgrade(empty.engine, revision)
        assert schema.current(empty.engine) == revision
    for revision in [*REVISIONS[-2::-1], "base"]:
        schema.downgrade(empty.engine, revision)

    assert tables_of(empty.engine) == set()


def test_each_migration_undoes_itself_where_people_have_lived_and_keeps_what_it_does_not_own(empty):
    upgrade_schema(empty)
    lived_in(empty)
    full = rows_of(empty.engine)
    for revision in REVISIONS[-2::-1]:
        schema.downgrade(empty.engine, revision)
    kept = {name: number for name, number in rows_of(empty.engine).items() if number}
    upgrade_schema(empty)

    assert {name for name, number in full.items() if number} >= LIVED_IN
    assert kept == {name: full[name] for name in ("environments", "flags", "flag_versions", "audit_entries")}
    assert flags.get_flag(empty, Place("production", "dspex-bridge")).operations["echo"].share == 1000
    assert history.verify(empty, "production").broken is None


def test_a_database_that_is_up_to_date_is_left_alone(empty):
    upgrade_schema(empty)
    lived_in(empty)
    before = rows_of(empty.engine)
    upgrade_schema(empty)

    assert rows_of(empty.engine) == before
    assert schema_state(empty) == (REVISIONS[-1], REVISIONS[-1])
    assert is_current(empty.engine)


def test_a_database_that_is_newer_is_refused_and_left_alone(empty):
    upgrade_schema(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaMismatch, match="schema 9999"):
        upgrade_schema(empty)

    assert schema.current(empty.engine) == "9999"
    assert not is_current(empty.engine)


def test_an_empty_database_has_no_revision(empty):
    assert schema_state(empty) == (None, REVISIONS[-1])
    assert not is_current(empty.engine)


def test_replicas_that_start_together_upgrade_once(database_url):
    start = (
        "import sys\n"
        "from controlplane.clock import utc_now\n"
        "from controlplane.settings import Settings\n"
        "from controlplane.store import open_store\n"
        "from controlplane.usecases.starting import prepare\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "prepare(open_store(sys.argv[1]), Settings(), utc_now())\n"
    )
    replicas = [python(start, database_url) for _ in range(3)]
    for replica in replicas:
        assert replica.stdout
        assert replica.stdout.readline() == "ready\n"

    for replica in replicas:
        assert replica.stdin
        replica.stdin.write("go\n")
        replica.stdin.flush()
    answers = [replica.communicate() for replica in replicas]

    assert [(replica.returncode, errors) for replica, (_, errors) in zip(replicas, answers, strict=True)] == [
        (0, "")
    ] * 3
    with open_store(database_url) as opened:
        assert schema_state(opened) == (REVISIONS[-1], REVISIONS[-1])
        assert rows_of(opened.engine)["environments"] == 1


def test_a_migration_that_fails_leaves_nothing_behind(empty):
    schema.upgrade(empty.engine, REVISIONS[0])
    before = tables_of(empty.engine)
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE tokens (id INTEGER)"))  # in the way of a later migration

    with pytest.raises((Unreachable, DatabaseError)):  # the two databases call it by different names
        upgrade_schema(empty)

    assert tables_of(empty.engine) == before | {"tokens"}
    assert schema.current(empty.engine) == REVISIONS[0]


def test_revisions_are_numbered_in_their_order():
    assert sorted(REVISIONS) == REVISIONS
    assert REVISIONS[-1] == shipped()


def test_migrations_are_found_wherever_the_server_is_started(tmp_path):
    program = (
        "from controlplane.store import open_store\n"
        "from controlplane.usecases.schema import schema_state, upgrade_schema\n"
        "store = open_store('sqlite:///here.db')\n"
        "upgrade_schema(store)\n"
        "print(*schema_state(store))\n"
    )

    answer, errors = python(program, cwd=tmp_path).communicate()

    assert (answer.split(), errors) == ([REVISIONS[-1], REVISIONS[-1]], "")
    assert (tmp_path / "here.db").exists()


def python(program, *arguments, cwd=None):
    """The server's own code in a process of its own; Alembic allows one migration a process."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {"PYTHONPATH": str(Path(migrations.__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=cwd, env=environment, **pipes)
