"""Does the next scheduler take over from one that was killed or frozen, and is every tick made once?"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from controlplane.scheduler.jobs import LEASE_LASTS
from controlplane.scheduler.loop import HEARTBEAT_SECONDS
from controlplane.store import Store
from controlplane.store.tables import leases

PROGRAM = Path(__file__).with_name("one_scheduler.py")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 30.0  # seconds; only a broken scheduler takes them
SLACK = 0.5  # seconds, for a busy machine

pytestmark = pytest.mark.slow
Processes = dict[str, subprocess.Popen[bytes]]


@pytest.fixture
def pair(store: Store) -> Iterator[Processes]:
    """Two processes on one database; both have started, one leads."""
    url = store.engine.url.render_as_string(hide_password=False)
    names = ("a", "b")
    command = [sys.executable, str(PROGRAM), url]
    processes = {each: subprocess.Popen([*command, each], env={"PYTHONPATH": str(ROOT)}) for each in names}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE)


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


def expiry(store: Store) -> datetime:
    with store.engine.connect() as connection:
        moment: datetime = connection.execute(select(leases.c.expires_at)).scalar_one()
    return moment


@pytest.mark.parametrize("stroke", [signal.SIGKILL, signal.SIGSTOP])
def test_the_next_one_takes_over_in_time_and_no_tick_is_made_twice(
    store: Store, pair: Processes, stroke: signal.Signals
) -> None:
    until(lambda: len(ticks(store)) >= 5)
    leader = ticks(store)[0][2]
    follower = next(name for name in pair if name != leader)

    pair[leader].send_signal(stroke)
    left = expiry(store)
    until(lambda: ticks(store)[-1][2] == follower)
    taken = expiry(store) - LEASE_LASTS  # at the latest: the follower may have renewed it since
    if stroke is signal.SIGSTOP:
        pair[leader].send_signal(signal.SIGCONT)  # it wakes up believing that it leads
    seen = len(ticks(store))
    until(lambda: len(ticks(store)) >= seen + 20)

    made = ticks(store)
    assert [number for number, _, _ in made] == list(range(1, len(made) + 1))
    assert [epoch for _, epoch, _ in made] == sorted(epoch for _, epoch, _ in made)
    assert {(epoch, holder) for _, epoch, holder in made} == {(1, leader), (2, follower)}
    assert (taken - left).total_seconds() <= HEARTBEAT_SECONDS + SLACK
