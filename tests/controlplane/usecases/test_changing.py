from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from controlplane.domain.errors import AlreadyExists, InvalidInput, NotFound, StaleVersion
from controlplane.store import UnitOfWork
from controlplane.store.audit import AuditLog
from controlplane.store.environments import Environments
from controlplane.store.flags import Flags
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.snapshots import current_versions
from tests.builders import ANN, NOW, a_cause, a_flag_document

HERE = Place("production", "dspex-bridge")
STATEMENTS = [
    (Flags, "save"),
    (Flags, "_keep"),
    (AuditLog, "append"),
    (Environments, "set_audit_head"),
    (Environments, "raise_version"),
    (UnitOfWork, "commit"),
]
CRASHES = [(owner, name, when) for owner, name in STATEMENTS for when in ("before", "after")][
    :-1
]  # after it, all is there


class Crash(Exception):
    """The process died here."""


@pytest.fixture
def flag(store):
    return flags.create_flag(store, "production", a_flag_document(), a_cause())


def entries(store):
    return list_entries(store, "production", Filter()).items


def snapshot_version(store):
    return current_versions(store)[0].version


def everything(store):
    return flags.list_flags(store, "production", archived=True), entries(store), snapshot_version(store)


def test_a_change_is_saved_written_down_and_published_together(store, flag):
    before = snapshot_version(store)

    after = flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause(reason="go on", expected=1))

    entry = entries(store)[0]
    assert flags.get_flag(store, HERE) == after
    assert (after.version, after.updated_at, after.created_at) == (2, NOW, NOW)
    assert snapshot_version(store) == before + 1
    assert (entry.actor, entry.at, entry.action, entry.flag) == (ANN, NOW, "share:set", "dspex-bridge")
    assert (entry.reason, entry.request_id, entry.version) == ("go on", "r-1", 2)
    assert [(each.path, each.before, each.after) for each in entry.changes] == [
        ("operations.echo.percent", 0, 5),
        ("rollout.attempt", 0, 1),
    ]


def test_a_new_flag_goes_through_the_same_door(store, flag):
    entry = entries(store)[0]

    assert (entry.action, entry.version) == ("flag:create", 1)
    assert ("key", None, "dspex-bridge") in [(each.path, each.before, each.after) for each in entry.changes]
    assert verify(store, "production").broken is None


def test_what_changes_nothing_is_not_written_down(store, flag):
    before = everything(store)

    same = flags.set_operation(store, HERE, "echo", {"percent": 0}, a_cause())
    flags.patch_flag(store, HERE, {}, a_cause())
    flags.replace_flag(store, HERE, a_flag_document(), a_cause())
    flags.enable_flag(store, HERE, a_cause())

    assert same.version == 1
    assert everything(store) == before


def test_a_change_of_an_older_version_is_refused(store, flag):
    flags.set_operation(store, HERE, "echo", {"percent": 5}, a_cause())
    before = everything(store)

    with pytest.raises(StaleVersion, match="is at version 2, you changed 1"):
        flags.set_operation(store, HERE, "echo", {"percent": 6}, a_cause(expected=1))

    assert everything(store) == before


def test_the_brakes_ask_for_no_version(store, flag):
    stale = a_cause(expected=99)
    rollouts.start(store, HERE, a_cause())

    assert rollouts.pause(store, HERE, stale).rollout.state == "paused"
    assert not flags.disable_flag(store, HERE, stale).enabled
    assert rollouts.roll_back(store, HERE, stale).rolled_back


def test_abort_is_a_brake_too(store, flag):
    rollouts.start(store, HERE, a_cause())

    assert rollouts.abort(store, HERE, a_cause(expected=99)).rollout.state == "aborted"


@pytest.mark.parametrize("act", [rollouts.start, flags.enable_flag, flags.archive_flag, rollouts.unlock])
def test_everything_else_refuses_a_stale_version(store, flag, act):
    with pytest.raises(StaleVersion):
        act(store, HERE, a_cause(expected=99))


@pytest.mark.parametrize(("owner", "name", "when"), CRASHES, ids=[f"{when} {name}" for _, name, when in CRASHES])
def test_a_crash_between_any_two_statements_leaves_nothing(store, flag, monkeypatch, owner, name, when):
    before, original = everything(store), getattr(owner, name)

    def dies(self, *args, **kwargs):
        if when == "after":
            original(self, *args, **kwargs)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(Crash):
            rollouts.start(store, HERE, a_cause())

    assert everything(store) == before
    assert verify(store, "production").broken is None
    assert rollouts.start(store, HERE, a_cause()).version == 2


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda store: flags.create_flag(store, "production", a_flag_document(), a_cause()), AlreadyExists),
        (lambda store: flags.create_flag(store, "production", a_flag_document(key="a b"), a_cause()), InvalidInput),
        (lambda store: flags.create_flag(store, "nowhere", a_flag_document(key="other"), a_cause()), NotFound),
        (lambda store: flags.patch_flag(store, HERE, {"candidate": "python_pool_v2"}, a_cause()), InvalidInput),
        (lambda store: flags.patch_flag(store, HERE, {"colour": "red"}, a_cause()), InvalidInput),
        (lambda store: flags.set_operation(store, HERE, "a b", {"percent": 5}, a_cause()), InvalidInput),
        (lambda store: flags.set_guardrails(store, HERE, {"max_error_rate": 5}, a_cause()), InvalidInput),
        (lambda store: flags.set_plan(store, HERE, {"stages": [{"percent": 0, "bake_seconds": 1}]}, a_cause()), InvalidInput),
        (lambda store: flags.remove_operation(store, HERE, "other", a_cause()), NotFound),
        (lambda store: flags.disable_flag(store, Place("production", "other"), a_cause()), NotFound),
        (lambda store: rollouts.roll_back(store, HERE, a_cause(), "other"), NotFound),
        (lambda store: flags.revert_flag(store, HERE, 7, a_cause()), NotFound),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(store, flag, act, error):
    before = everything(store)

    with pytest.raises(error):
        act(store)

    assert everything(store) == before


def test_two_who_change_at_once_lose_nothing(store, flag):
    """Each adds its own tag to what it read, and tries again when somebody was faster."""
    together = Barrier(2)

    def work(name):
        together.wait()
        for number in range(6):
            _add_tag(store, f"{name}{number}")

    with ThreadPoolExecutor(2) as people:
        list(people.map(work, "ab"))

    after = flags.get_flag(store, HERE)
    written = list_entries(store, "production", Filter(flag="dspex-bridge")).items
    assert set(after.tags) == {"bridge"} | {f"{name}{number}" for name in "ab" for number in range(6)}
    assert [entry.version for entry in written] == list(range(13, 0, -1))
    assert after.version == 13
    assert snapshot_version(store) == 14
    assert written[0].changes[0].after == list(after.tags)
    assert verify(store, "production").broken is None


def _add_tag(store, tag):
    while True:
        seen = flags.get_flag(store, HERE)
        try:
            flags.patch_flag(store, HERE, {"tags": [*seen.tags, tag]}, a_cause(expected=seen.version))
        except StaleVersion:
            continue
        return


def test_a_new_key_is_given_to_one_of_two_who_want_it_at_once(store):
    together = Barrier(2)

    def create(_):
        together.wait()
        try:
            return flags.create_flag(store, "production", a_flag_document(), a_cause())
        except AlreadyExists:
            return None

    with ThreadPoolExecutor(2) as people:
        made = [flag for flag in people.map(create, range(2)) if flag]

    assert len(made) == 1
    assert [entry.action for entry in entries(store)] == ["flag:create", "environment:create"]
