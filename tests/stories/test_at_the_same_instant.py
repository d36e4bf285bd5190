"""Two people and the scheduler act at the same instant: nothing is lost, nothing is done twice, and the log says so.

The long run: `make soak`.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from controlplane.domain.audit import Action
from controlplane.domain.errors import Refused, StaleVersion
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store, open_store
from controlplane.usecases import flags, rollouts
from controlplane.usecases.changing import Cause, Place
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.history import Filter, list_entries, verify
from controlplane.usecases.leading import lead
from controlplane.usecases.snapshots import current_versions
from controlplane.usecases.ticking import tick
from tests.builders import NOW, a_cause, a_flag_document, a_plan_document

HERE = Place("production", "dspex-bridge")
ROUNDS = 1_000 if os.environ.get("LONG_TESTS") else 40
BAKE = timedelta(minutes=1)

Act = Callable[[Store, Place, Cause], Flag]
ACTS: dict[str, Act] = {
    "advance": rollouts.advance,
    "pause": rollouts.pause,
    "step_back": rollouts.step_back,
    "abort": rollouts.abort,
    "roll_back": rollouts.roll_back,
    "disable": flags.disable_flag,
    "one_back": lambda store, place, cause: rollouts.roll_back(store, place, cause, "echo"),
}


@pytest.fixture
def store(migrated_url):
    with open_store(migrated_url) as opened:
        ensure_first(opened, a_cause())
        document = a_flag_document(plan=a_plan_document(1, 10, 50, bake_seconds=60), guardrails=None)
        flags.create_flag(opened, "production", document, a_cause())
        yield opened


@pytest.mark.soak
def test_whatever_is_done_at_one_instant_is_done_once_and_in_some_order(store):
    lease = lead(store, "story", NOW, timedelta(days=3650))
    assert lease
    now, chance = NOW, random.Random(5)
    for number in range(ROUNDS):
        now += timedelta(hours=1)
        _one_instant(store, lease, now, random.Random(chance.random()), number)

    assert verify(store, "production").broken is None


def _one_instant(store, lease, now, chance, number):
    """A rollout in its second stage, whose bake is over: anybody may be the first to move it."""
    flags.enable_flag(store, HERE, a_cause(now))
    rollouts.unlock(store, HERE, a_cause(now)) if _must_unlock(store) else None
    rollouts.start(store, HERE, a_cause(now))
    before = rollouts.advance(store, HERE, a_cause(now))
    published = current_versions(store)[0].version
    at = now + BAKE
    wanted = [chance.choice(list(ACTS)) for _ in range(2)]
    done: list[Flag] = []
    failed: list[Exception] = []

    def person(name):
        done.append(ACTS[name](store, HERE, a_cause(at, expected=before.version)))

    def scheduler():
        tick(store, lambda: at, Clockwork(), lease)

    _all_at_once([lambda name=name: person(name) for name in wanted] + [scheduler], chance, failed)

    after = flags.get_flag(store, HERE)
    entries = [each for each in _entries(store) if each.version > before.version]
    assert not failed, (number, wanted, failed)
    assert [each.version for each in entries] == list(range(before.version + 1, after.version + 1))
    assert current_versions(store)[0].version - published == len(entries)
    assert sum(each.action is Action.ROLLOUT_ADVANCE for each in entries) <= 1
    assert {each.version for each in done} <= {before.version, *(each.version for each in entries)}
    assert entries, wanted  # the scheduler at least had something to do, or somebody was faster
    _assert_each_begins_where_the_one_before_ended(before, after, entries)
    if after.rollout.state in {State.RUNNING, State.PAUSED}:
        rollouts.abort(store, HERE, a_cause(at))


def _must_unlock(store):
    flag = flags.get_flag(store, HERE)
    return flag.rolled_back or any(each.rolled_back for each in flag.operations.values())


def _all_at_once(acts, chance, failed):
    """Each in a thread of its own, let go together; a pause of some hundred microseconds shuffles who is first."""
    gate = threading.Barrier(len(acts))

    def run(act, pause):
        gate.wait(60)
        time.sleep(pause)
        try:
            act()
        except (Refused, StaleVersion):
            pass  # somebody was faster
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act, chance.random() * 0.004)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def _entries(store):
    found = list_entries(store, "production", Filter(flag=HERE.flag), limit=20).items
    return [each for each in reversed(found) if each.changes]


def _assert_each_begins_where_the_one_before_ended(before, after, entries):
    """No update is lost: what an entry says it found is what the one before it left, and the last one is what is."""
    for path, read in (
        ("rollout.state", lambda flag: flag.rollout.state.value),
        ("rollout.stage", lambda flag: flag.rollout.stage),
        ("operations.echo.percent", lambda flag: flag.operations["echo"].share / 1000),
        ("rolled_back", lambda flag: flag.rolled_back),
        ("enabled", lambda flag: flag.enabled),
    ):
        value = read(before)
        for entry in entries:
            for change in entry.changes:
                if change.path == path:
                    assert change.before == value, (path, entry)
                    value = change.after
        assert value == read(after), path
