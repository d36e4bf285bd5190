"""What happens to throughput when eight threads call instead of one, on one core, and then on two?"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import throwbar
from bench.against_calls import new_work, work
from bench.our_client import a_client, a_plane
from bench.peers import launchdarkly, unleash
from bench.scale import Scale
from bench.scores import Score, present

THREADS = 8
LEAST_ON_ONE, LEAST_ON_TWO = 0.9, 0.7
PEERS = {"LaunchDarkly, variation": launchdarkly, "Unleash, is_enabled": unleash}
Calls = dict[str, tuple[Callable[[str], object], int]]


def scores(scale: Scale) -> Iterator[Score]:
    with TemporaryDirectory() as folder, ExitStack() as until:
        calls = _ours(scale, until)
        peers = present({name: partial(make, scale.flags, Path(folder), until) for name, make in PEERS.items()})
        for name, ask in peers.items():
            calls[name] = (partial(ask, "flag-7"), scale.calls // 2)
        yield from _kept(calls, scale.rounds)


def _ours(scale: Scale, until: ExitStack) -> Calls:
    client = a_client(a_plane(scale))
    until.callback(client.close)
    migration = client.migration("flag-7")
    operation = migration.operation("echo", kind=throwbar.READ)
    operation.baseline(work)
    operation.candidate(new_work)
    return {
        "throwbar, routed call": (lambda key: operation(key, key=key), scale.calls * 8),
        "throwbar, decide": (lambda key: migration.decide("simple_predict", key=key), scale.calls * 8),
    }


def _kept(calls: Calls, rounds: int) -> Iterator[Score]:
    """On one core the best of the rounds by CPU time, so that neighbours count for nothing.

    On two the median by the wall clock: who waits for a lock or the interpreter takes no CPU, and is lucky at times.
    """
    ours = os.sched_getaffinity(0)
    cores = sorted(ours)[:2]
    try:
        for name, (call, number) in calls.items():
            once, alone, both = [], [], []
            for _ in range(rounds + 1):
                once.append(_rates(call, number, 1, cores[:1]))
                alone.append(_rates(call, number, THREADS, cores[:1]))
                both.append(_rates(call, number, THREADS, cores))
            kept = max(cpu for cpu, _ in alone) / max(cpu for cpu, _ in once)
            yield _score(f"{name}: 8 threads ÷ 1, one core", kept, LEAST_ON_ONE)
            if len(cores) > 1:
                kept = median(two / one for (_, two), (_, one) in zip(both, alone, strict=True))
                yield _score(f"{name}: 8 threads, two cores ÷ one", kept, LEAST_ON_TWO)
    finally:
        _pin(ours)


def _score(name: str, kept: float, least: float) -> Score:
    if not name.startswith("throwbar"):
        return Score(name, f"{kept:.0%}")
    return Score(name, f"{kept:.0%}", "", f"≥ {least:.0%}", kept >= least)


def _pin(cores: set[int]) -> None:
    """All threads that there are: those of the peers, too."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


def _rates(call: Callable[[str], object], number: int, threads: int, cores: list[int]) -> tuple[float, float]:
    """Calls a second, of CPU and by the wall clock."""
    _pin(set(cores))
    ready, go = threading.Barrier(threads + 1), threading.Event()

    def run(which: int) -> None:
        keys = [f"session-{which}-{each}" for each in range(number // threads)]
        ready.wait()
        go.wait()
        for key in keys:
            call(key)

    workers = [threading.Thread(target=run, args=(which,)) for which in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    cpu, wall = time.process_time(), time.perf_counter()  # before they go: on a busy core we may be late after it
    go.set()
    for worker in workers:
        worker.join()
    return number / (time.process_time() - cpu), number / (time.perf_counter() - wall)
