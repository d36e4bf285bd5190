"""What happens to throughput when eight threads call instead of one, on one core, and then on two?"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
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
    """On one core by its CPU time, so that neighbours count for nothing; on two by the wall clock, as locks show there.

    A rate is the best of its rounds.
    """
    ours = os.sched_getaffinity(0)
    cores = sorted(ours)[:2]
    try:
        for name, (call, number) in calls.items():
            once, alone = _best(call, number, cores[:1], 1, rounds), _best(call, number, cores[:1], THREADS, rounds)
            yield _score(f"{name}: 8 threads ÷ 1, one core", alone[0] / once[0], LEAST_ON_ONE)
            if len(cores) > 1:
                both = _best(call, number, cores, THREADS, rounds)
                yield _score(f"{name}: 8 threads, two cores ÷ one", both[1] / alone[1], LEAST_ON_TWO)
    finally:
        _pin(ours)


def _score(name: str, kept: float, least: float) -> Score:
    if not name.startswith("throwbar"):
        return Score(name, f"{kept:.0%}")
    return Score(name, f"{kept:.0%}", "", f"≥ {least:.0%}", kept >= least)


def _best(
    call: Callable[[str], object], number: int, cores: list[int], threads: int, rounds: int
) -> tuple[float, float]:
    """Calls a second, of CPU and by the wall clock."""
    _pin(set(cores))
    rates = [_rates(call, number, threads) for _ in range(rounds + 1)]
    return max(cpu for cpu, _ in rates), max(wall for _, wall in rates)


def _pin(cores: set[int]) -> None:
    """All threads that there are: those of the peers, too."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


def _rates(call: Callable[[str], object], number: int, threads: int) -> tuple[float, float]:
    start = threading.Barrier(threads + 1)

    def run(which: int) -> None:
        keys = [f"session-{which}-{each}" for each in range(number // threads)]
        start.wait()
        for key in keys:
            call(key)

    workers = [threading.Thread(target=run, args=(which,)) for which in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    cpu, wall = time.process_time(), time.perf_counter()
    for worker in workers:
        worker.join()
    return number / (time.process_time() - cpu), number / (time.perf_counter() - wall)
