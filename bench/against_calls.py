"""What does routing add to a call that does nothing: breaker, exact counts, histogram, retry and fallback at hand?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import throwbar
from bench.our_client import a_client, a_plane
from bench.peers import launchdarkly_read
from bench.scale import Scale
from bench.scores import Run, Score, present, race
from throwbar.breaker import Breaker, tell
from throwbar.budget import Budget
from throwbar.clock import perf_clock_ns
from throwbar.evidence import classify

DIRECT = "direct call"
OURS = "throwbar, operation with breaker, retry, fallback, counts"
ALONE = "throwbar, breaker and retry alone"
MIGRATOR = "LaunchDarkly, Migrator.read, events off"
TIMES_OURS = {MIGRATOR: (OURS, 30), "pybreaker": (ALONE, 1), "tenacity": (ALONE, 10), "stamina": (ALONE, 10)}


def scores(scale: Scale) -> Iterator[Score]:
    keys = [f"session-{number:08d}" for number in range(scale.calls)]
    client = a_client(a_plane(scale))
    migration = client.migration("flag-7")
    with TemporaryDirectory() as folder, ExitStack() as until:
        runs: dict[str, Run] = {
            DIRECT: _direct(keys),
            OURS: _operation(migration, keys),
            "throwbar, route: call sites unchanged": _route(migration, keys),
            "throwbar, with attempt": _attempt(migration, keys),
            ALONE: _calling(_guarded(work), keys),
            **present({name: partial(make, keys, Path(folder), until) for name, make in PEERS.items()}),
        }
        best = race(runs, scale.rounds)
    client.close()
    added = {name: max(micros - best[DIRECT], 1e-3) for name, micros in best.items() if name != DIRECT}
    for name, micros in added.items():
        goal, met = _goal(name, added)
        yield Score(name, f"{micros:.3f} µs", "1" if name == OURS else f"{micros / added[OURS]:.1f}", goal, met)


def _goal(name: str, added: Mapping[str, float]) -> tuple[str, bool | None]:
    if name == OURS:
        return "≤ 1.20 µs added", added[name] <= 1.2
    if name in TIMES_OURS:
        ours, times = TIMES_OURS[name]
        words = "the routed call" if ours == OURS else "our breaker and retry"
        return f"≥ {times}× {words}", added[name] >= times * added[ours]
    return "", None


def work(key: str) -> str:
    return key


def new_work(key: str) -> str:
    return key


def _calling(function: Callable[[str], object], keys: list[str]) -> Run:
    def run() -> int:
        for key in keys:
            function(key)
        return len(keys)

    return run


def _direct(keys: list[str]) -> Run:
    return _calling(work, keys)


def _operation(migration: throwbar.Migration, keys: list[str]) -> Run:
    operation = migration.operation("echo", kind=throwbar.READ)
    operation.baseline(work)
    operation.candidate(new_work)

    def run() -> int:
        for key in keys:
            operation(key, key=key)
        return len(keys)

    return run


def _route(migration: throwbar.Migration, keys: list[str]) -> Run:
    return _calling(migration.route("simple_predict", candidate=new_work, key=lambda key: key)(work), keys)


def _attempt(migration: throwbar.Migration, keys: list[str]) -> Run:
    def run() -> int:
        for key in keys:
            with migration.attempt("simple_predict", key=key) as attempt:
                _ = new_work(key) if attempt.candidate else work(key)
        return len(keys)

    return run


def _guarded(function: Callable[[str], str]) -> Callable[[str], str]:
    """What the call engine does of these two, and nothing else of it: to set beside wrappers that do only that."""
    breaker, budget = Breaker(), Budget()

    def call(key: str) -> str:
        started_ns = perf_clock_ns()
        permit = breaker.passing or breaker.acquire(started_ns)
        assert permit
        budget.calls += 1
        try:
            result = function(key)
        except BaseException as error:
            tell(permit, classify(error), perf_clock_ns(), perf_clock_ns() - started_ns)
            raise
        ended_ns = perf_clock_ns()
        permit.succeeded(ended_ns, ended_ns - started_ns)
        return result

    return call


def _migrator(keys: list[str], folder: Path, until: ExitStack) -> Run:
    read = launchdarkly_read(folder, until, work, new_work)

    def run() -> int:
        for key in keys:
            read("migration", key, key)
        return len(keys)

    return run


def _pybreaker(keys: list[str], _: Path, __: ExitStack) -> Run:
    import pybreaker

    return _calling(pybreaker.CircuitBreaker()(work), keys)


def _circuitbreaker(keys: list[str], _: Path, __: ExitStack) -> Run:
    import circuitbreaker

    return _calling(circuitbreaker.circuit(expected_exception=ConnectionError)(work), keys)


def _tenacity(keys: list[str], _: Path, __: ExitStack) -> Run:
    import tenacity

    on, stop = tenacity.retry_if_exception_type(ConnectionError), tenacity.stop_after_attempt(3)
    return _calling(tenacity.retry(retry=on, stop=stop, wait=tenacity.wait_random_exponential(0.05, 2))(work), keys)


def _stamina(keys: list[str], _: Path, __: ExitStack) -> Run:
    import stamina

    return _calling(stamina.retry(on=ConnectionError, attempts=3)(work), keys)


def _stamina_around_pybreaker(keys: list[str], _: Path, __: ExitStack) -> Run:
    import pybreaker
    import stamina

    return _calling(stamina.retry(on=ConnectionError, attempts=3)(pybreaker.CircuitBreaker()(work)), keys)


PEERS: dict[str, Callable[[list[str], Path, ExitStack], Run]] = {
    MIGRATOR: _migrator,
    "pybreaker": _pybreaker,
    "circuitbreaker": _circuitbreaker,
    "tenacity": _tenacity,
    "stamina": _stamina,
    "stamina around pybreaker": _stamina_around_pybreaker,
}
