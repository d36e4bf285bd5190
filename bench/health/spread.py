"""How are thousands of runs made? Each with a seed of its own, over as many processes as asked for."""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TypeVar

Result = TypeVar("Result")
_pools: list[ProcessPoolExecutor] = []


@contextmanager
def processes(number: int):
    """Within it runs are spread; without it, or with one process, they follow one another."""
    if number < 2:
        yield
        return
    with ProcessPoolExecutor(number) as pool:
        _pools.append(pool)
        try:
            yield
        finally:
            _pools.remove(pool)


def runs(job: Callable[[Random], Result], number: int, seed: str) -> Sequence[Result]:
    """What `job` found with each of `number` seeds; the same whatever the number of processes."""
    one = partial(_one, job, seed)
    if not _pools:
        return [one(run) for run in range(number)]
    return list(_pools[-1].map(one, range(number), chunksize=max(1, number // 32)))


def _one(job: Callable[[Random], Result], seed: str, run: int) -> Result:
    return job(Random(f"{seed}/{run}"))


def seeds(*parts: object) -> str:
    return "/".join(str(part) for part in itertools.chain(("health",), parts))
