"""Does the next scheduler take over from one that was killed or frozen, and is every tick made once?"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from controlplane.store import Store
from controlplane.store.tables import leases

PROGRAM = Path(__file__).with_name("one_scheduler.py")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0  # seconds; only a broken scheduler takes them

pytestmark = pytest.mark.slow
Processes = dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def pair(store: Store, tmp_path: Path) -> Iterator[Processes]:
    """Two processes on one database; both have started, one leads."""
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, str(PROGRAM), url]
    processes = {
        name: subprocess.Popen([*command, name, str(tmp_path / name)], env={"PYTHONPATH": str(ROOT)})
        for name in ("a", "b")
    }
    try:
        yield processes
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE)
        until(lambda: is_free(store))  # else its last commit could come to the next test, on the same database


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def ticks(store: Store) -> list[tuple[int, int, str]]:
    """(number, epoch, holder) of each tick that was made, in their order."""
    with store.reading() as uow:
        names = sorted(uow.counters.starting_with("tick:"))
    return [(int(number), int(epoch), holder) for _, number, epoch, holder in (name.split(":") for name in names)]


def held(store: Store) -> tuple[str, datetime]:
    """Who has the lease, and until when."""
    with store.engine.connect() as connection:
        row = connection.execute(select(leases.c.holder, leases.c.expires_at)).one()
    return row.holder, row.expires_at


def beats(path: Path) -> list[tuple[datetime, bool]]:
    """When each heartbeat began, and whether its scheduler led at its end."""
    lines = [line.split() for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [(datetime.fromisoformat(began), leads == "True") for began, leads in lines]


def freeze_the_leader(pair: Processes, store: Store) -> tuple[str, datetime]:
    """Who leads is frozen, and how long it does by its lease: on a busy machine one that beats late loses it.

    Between two transactions: one that is frozen within one keeps its lock, for as long as its database lets it.
    """
    while True:
        leader, _ = held(store)
        pair[leader].send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, pair[leader].pid, os.WSTOPPED)
        if is_free(store) and held(store)[0] == leader:
            return held(store)
        pair[leader].send_signal(signal.SIGCONT)


def is_free(store: Store) -> bool:
    """Whether nobody is in the middle of a transaction under the lease."""
    try:
        if store.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(str(store.engine.url.database), timeout=0)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        else:
            with store.engine.connect() as connection:
                connection.execute(select(leases).with_for_update(nowait=True))
    except (sqlite3.OperationalError, OperationalError):
        return False
    return True


@pytest.mark.parametrize("stroke", [signal.SIGKILL, signal.SIGSTOP])
def test_the_next_one_takes_over_in_time_and_no_tick_is_made_twice(
    store: Store, pair: Processes, tmp_path: Path, stroke: signal.Signals
) -> None:
    until(lambda: len(ticks(store)) >= 5)
    leader, left = freeze_the_leader(pair, store)
    follower = next(name for name in pair if name != leader)
    if stroke is signal.SIGKILL:
        pair[leader].kill()
        pair[leader].wait(PATIENCE)
    before = len(ticks(store))
    until(lambda: len(ticks(store)) > before)
    if stroke is signal.SIGSTOP:
        pair[leader].send_signal(signal.SIGCONT)  # it wakes up believing that it leads
    seen = len(ticks(store))
    until(lambda: len(ticks(store)) >= seen + 20)

    made = ticks(store)
    assert [number for number, _, _ in made] == list(range(1, len(made) + 1))
    assert [epoch for _, epoch, _ in made] == sorted(epoch for _, epoch, _ in made)
    assert len({(epoch, holder) for _, epoch, holder in made}) == len({epoch for _, epoch, _ in made})
    assert made[before][2] == follower
    # Taken with the first beat after its end. How soon that comes on a busy machine, and whether others are in time
    # later, is no matter of ours.
    assert next(leads for began, leads in beats(tmp_path / follower) if began >= left)
