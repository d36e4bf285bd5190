import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from controlplane.domain.errors import AlreadyExists, InvalidInput, NotFound
from controlplane.domain.snapshot import Clockwork
from controlplane.store.audit import AuditLog
from controlplane.store.tables import audit_entries, environments
from controlplane.usecases import flags, history
from controlplane.usecases.changing import Place
from controlplane.usecases.environments import create_environment, ensure_first, list_environments
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.snapshots import current_snapshot, current_versions
from tests.builders import NOW, a_cause, a_flag_document

HERE = Place("production", "dspex-bridge")


@pytest.fixture
def lived(store):
    """Six entries: the environment, the flag, and four changes."""
    flags.create_flag(store, "production", a_flag_document(), a_cause())
    for percent in (1, 2, 3, 4):
        cause = a_cause(NOW + timedelta(microseconds=percent), reason=f"step {percent}")
        flags.set_operation(store, HERE, "echo", {"percent": percent}, cause)


def tampered(store, statement):
    with store.engine.begin() as connection:
        connection.execute(statement)
    return verify(store, "production").broken


def test_an_untouched_log_is_whole_up_to_its_head(store, lived):
    verified = verify(store, "production")

    assert (verified.broken, verified.length) == (None, 6)
    assert verified.head == list_entries(store, "production", Filter()).items[0].hash


@pytest.mark.parametrize(
    "values",
    [
        {"reason": "nothing happened"},
        {"actor_name": "somebody else"},
        {"action": "flag:disable"},
        {"at": NOW - timedelta(days=1)},
        {"changes": []},
        {"version": 99},
        {"flag": None},
        {"record": {"a": 1}},
        {"request_id": "x"},
        {"hash": "f" * 64},
        {"previous": "f" * 64},
    ],
)
def test_an_entry_changed_in_the_database_is_found(store, lived, values):
    found = tampered(store, update(audit_entries).where(audit_entries.c.id == 3).values(**values))

    assert found
    assert found.entry == 3


@pytest.mark.parametrize("entry", [1, 3, 6])
def test_an_entry_removed_from_the_database_is_found(store, lived, entry):
    found = tampered(store, delete(audit_entries).where(audit_entries.c.id == entry))

    assert found
    assert found.entry == entry


def test_a_head_put_back_to_hide_a_removed_end_is_found_by_the_head_that_was_written_down(store, lived):
    anchored = verify(store, "production").head
    before = list_entries(store, "production", Filter()).items[1]
    tampered(store, delete(audit_entries).where(audit_entries.c.id == 6))
    tampered(store, update(environments).values(audit_length=5, audit_head=before.hash))

    assert verify(store, "production").head != anchored


def test_a_new_entry_while_the_log_is_verified_is_no_break(store, lived, monkeypatch):
    original = AuditLog.chain

    def overtaken(self, environment_id):
        monkeypatch.undo()
        flags.set_operation(store, HERE, "echo", {"percent": 50}, a_cause())
        return original(self, environment_id)

    monkeypatch.setattr(AuditLog, "chain", overtaken)

    assert verify(store, "production").broken is None


def test_history_is_read_page_by_page_from_the_newest(store, lived):
    first = list_entries(store, "production", Filter(), limit=4)
    rest = list_entries(store, "production", Filter(before=first.next), limit=4)

    assert [entry.id for entry in first.items + rest.items] == [6, 5, 4, 3, 2, 1]
    assert rest.next is None


def test_a_page_that_ends_with_the_log_has_no_next(store, lived):
    assert list_entries(store, "production", Filter(), limit=6).next is None


def test_the_snapshot_has_the_version_and_source_of_its_environment(store, lived):
    version = current_versions(store)[0]

    snapshot = current_snapshot(store, "production", Clockwork())

    assert (snapshot["version"], snapshot["source"]) == (version.version, version.source) == (6, version.source)
    assert snapshot["flags"]["dspex-bridge"]["operations"]["echo"]["share"] == 4000
    assert json.loads(json.dumps(snapshot)) == snapshot


def test_environments_are_apart(store, lived):
    create_environment(store, "staging", a_cause())
    flags.create_flag(store, "staging", a_flag_document(owner="somebody"), a_cause())

    assert flags.get_flag(store, HERE).owner == "ml-platform"
    assert [(each.name, each.flags, each.version) for each in list_environments(store)] == [
        ("production", 1, 6),
        ("staging", 1, 2),
    ]
    assert verify(store, "staging").length == 2
    sources = {each.source for each in current_versions(store)}
    assert len(sources) == 2


def test_an_environment_is_made_once_and_by_a_proper_name(store):
    with pytest.raises(AlreadyExists):
        create_environment(store, "production", a_cause())
    with pytest.raises(InvalidInput, match="name: "):
        create_environment(store, "no name", a_cause())
    ensure_first(store, a_cause())

    assert [each.name for each in list_environments(store)] == ["production"]


def test_what_is_asked_of_an_environment_that_is_not_there_is_not_found(store):
    for ask in (
        lambda: verify(store, "x"),
        lambda: list_entries(store, "x", Filter()),
        lambda: flags.list_flags(store, "x"),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        current_snapshot(store, "x", Clockwork())


def test_an_export_is_read_in_pages_and_holds_what_there_was_when_it_began(monkeypatch, store):
    monkeypatch.setattr(history, "PAGE", 2)
    for number in range(4):
        create_environment(store, f"other-{number}", a_cause())
        flags.create_flag(store, "production", a_flag_document(key=f"flag-{number}"), a_cause())

    export = history.export_entries(store, "production", history.Filter())
    pages = [next(export)]
    flags.create_flag(store, "production", a_flag_document(key="late"), a_cause())
    pages.extend(export)

    assert [[each.id for each in page] for page in pages] == [[5, 4], [3, 2], [1]]
    with pytest.raises(NotFound):
        history.export_entries(store, "nowhere", history.Filter())
