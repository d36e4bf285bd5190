"""Do the two real backends answer alike, fail honestly, heal, and leave nothing behind?"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from web.cli.demo.classifier import read_corpus
from web.cli.demo.faults import FAULTS, Fault, Kind, inject
from web.cli.demo.pool import OperationFailed, Pool, PoolTimeout, WorkerDied
from web.cli.demo.pool_pipes import python_pool_v2
from web.cli.demo.pool_socket import snakepit

PATIENCE = 60.0  # seconds until a test gives up on something that will happen


@pytest.fixture
def fault_file(tmp_path) -> Path:
    return tmp_path / "fault.json"


@pytest.fixture(params=["pipes", "socket"])
def pool(request, fault_file) -> Iterator[Pool]:
    if request.param == "pipes":
        pool = python_pool_v2(size=2, timeout=PATIENCE, fault_file=fault_file)
    else:
        pool = snakepit(size=2, timeout=PATIENCE, fault_file=fault_file)
    yield pool
    pool.close()


def test_echo_gives_back_what_it_was_given(pool):
    assert pool.call("echo", session="s-1", text="snöw ☃") == {"session": "s-1", "text": "snöw ☃"}


def test_a_ticket_is_classified(pool):
    answer = pool.call("simple_predict", session="s-1", text="please refund the invoice")

    assert answer["label"] == "billing"
    assert 0.25 < answer["confidence"] <= 1


def test_both_backends_answer_every_line_of_the_corpus_alike():
    old, new = python_pool_v2(size=1, timeout=PATIENCE), snakepit(size=1, timeout=PATIENCE)

    answers = [
        [each.call("simple_predict", session="s", text=example.text) for example in read_corpus()]
        for each in (old, new)
    ]
    old.close()
    new.close()

    assert answers[0] == answers[1]


def test_many_threads_each_get_the_answer_to_their_own_question(pool):
    def ask(number: int) -> bool:
        return pool.call("echo", session=str(number), text="hello")["session"] == str(number)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(400)))


def test_an_operation_that_raises_is_an_operation_failed_and_the_worker_lives_on(pool):
    with pytest.raises(OperationFailed, match="KeyError"):
        pool.call("no_such_operation", session="s", text="x")

    assert pool.call("echo", session="s", text="x")
    assert pool.deaths == 0


def test_a_damaged_model_fails_predictions_and_leaves_echo_alone(pool, fault_file):
    inject(fault_file, FAULTS[Kind.ERRORS])

    failures = 0
    for example in read_corpus():
        try:
            pool.call("simple_predict", session="s", text=example.text)
        except OperationFailed as error:
            assert "IndexError" in str(error)  # noqa: PT017 - only some lines fail
            failures += 1
        pool.call("echo", session="s", text=example.text)

    assert failures > 50


def test_a_slow_worker_is_a_timeout_and_its_late_answer_reaches_nobody_else(pool, fault_file):
    inject(fault_file, Fault(Kind.LATENCY, seconds=2.0))
    pool._timeout = 0.0  # so that nobody who looks late finds the answer there after all
    for session in ("slow-1", "slow-2"):
        with pytest.raises(PoolTimeout):
            pool.call("echo", session=session, text="x")
    inject(fault_file, Fault())
    pool._timeout = PATIENCE

    answers = [pool.call("echo", session=f"later-{number}", text="x") for number in range(4)]

    assert [answer["session"] for answer in answers] == [f"later-{number}" for number in range(4)]


def test_a_crash_fails_the_call_that_met_it_and_the_pool_heals(pool, fault_file):
    start, may_heal = pool._start_worker, threading.Event()
    pool._start_worker = lambda: may_heal.wait(PATIENCE) and start()
    inject(fault_file, Fault(Kind.CRASH, share=1.0))
    for _ in range(2):
        with pytest.raises(WorkerDied):
            pool.call("echo", session="s", text="x")
    with pytest.raises(WorkerDied, match="no worker is alive"):
        pool.call("echo", session="s", text="x")
    inject(fault_file, Fault())
    may_heal.set()

    assert answer_at_last(pool) == {"session": "s", "text": "x"}
    assert pool.deaths == 2


def answer_at_last(pool: Pool) -> dict[str, object]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(WorkerDied):
            return pool.call("echo", session="s", text="x")
        time.sleep(0.02)
    raise AssertionError("the pool did not heal")


OWNER = """
import time
from web.cli.demo.pool_pipes import python_pool_v2
from web.cli.demo.pool_socket import snakepit
pools = [python_pool_v2(size=2), snakepit(size=2)]
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_killing_the_owner_outright_leaves_no_worker_behind():
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        workers = children_of(owner.pid)

        owner.send_signal(signal.SIGKILL)

    assert len(workers) == 4
    deadline = time.monotonic() + PATIENCE
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in workers if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_closed_pool_has_no_processes():
    before = set(children_of(os.getpid()))
    pool = snakepit(size=3)
    started = set(children_of(os.getpid())) - before

    pool.close()

    assert len(started) == 3
    assert not any(map(is_alive, started))


def children_of(parent: int) -> list[int]:
    stats = (path.read_text() for path in readable(Path("/proc").glob("[0-9]*/stat")))
    fields = [(int(stat.split(" ", 1)[0]), stat.rsplit(")", 1)[1].split()) for stat in stats]
    return [pid for pid, rest in fields if int(rest[1]) == parent]


def readable(paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        with suppress(OSError):
            path.read_text()
            yield path


def is_alive(pid: int) -> bool:
    """A zombie that nobody reaped is dead all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
