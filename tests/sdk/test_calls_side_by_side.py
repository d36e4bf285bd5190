"""Do calls wait for each other? Threads and coroutines at once, in every state that a call can find its engine in.

None of them may leave its backend before all of them are inside: where one waits for another, they never meet.
"""

import asyncio
import threading
import time
from typing import Any, NamedTuple

import pytest

import throwbar
from tests.sdk.routing import Service, refused

CALLS = 8
PATIENCE = 60  # seconds, which only a defect needs


class Case(NamedTuple):
    """What is declared of the operation, whose answer its calls get, and how often the candidate refuses each first."""

    declared: dict[str, Any]
    answer: str
    refuses: int = 0
    opened: bool = False


READ, NO_PAUSE = {"kind": throwbar.READ}, throwbar.Retry(attempts=2, base=0.0)
PROBING = throwbar.Breaker(open_seconds=1e-6, probes_at_once=99, probe_results=99)
CASES = {
    "plain": Case({}, "new"),
    "with a deadline": Case(READ | {"deadline": 300.0}, "new"),
    "retried": Case(READ | {"retry": NO_PAUSE, "breaker": None}, "new", refuses=1),
    "fallen back": Case(READ | {"retry": None, "breaker": None}, "old", refuses=1),
    "open": Case(READ, "old", opened=True),
    "half-open": Case(READ | {"breaker": PROBING}, "new", opened=True),
}


@pytest.fixture(params=CASES)
def calls(request):
    service = Service()
    yield Calls(service, CASES[request.param])
    service.client.close()


class Calls:
    """Calls of one operation, and what came of them."""

    def __init__(self, service, case):
        self.case, self.answers, self.refused = case, [], {}
        self.operation = service.orders.operation("read", **case.declared)
        breaker = service.orders._bind("read").guards[1].breaker
        while case.opened and breaker.passing is not None:
            breaker.passing.failed(time.perf_counter_ns(), 1, hard=True)

    def leave(self, side, key):
        refusals = self.refused[key] = self.refused.get(key, 0) + (side == "new")
        if side == "new" and refusals <= self.case.refuses:
            raise refused()
        return side


def test_row_14_slow_calls_of_threads_run_side_by_side(calls):
    def waiting(side):
        all_inside = threading.Barrier(CALLS, timeout=PATIENCE)

        def call(key):
            all_inside.wait()
            return calls.leave(side, key)

        return call

    calls.operation.baseline(waiting("old"))
    calls.operation.candidate(waiting("new"))

    keys = [f"k{number}" for number in range(CALLS)]
    threads = [
        threading.Thread(target=lambda key=key: calls.answers.append(calls.operation(key, key=key))) for key in keys
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert calls.answers == [calls.case.answer] * CALLS


def test_row_14_slow_calls_of_coroutines_run_side_by_side(calls):
    def waiting(side):
        rounds = [asyncio.Event() for _ in range(2)]
        inside = []

        async def call(key):
            inside.append(key)
            all_inside = rounds[(len(inside) - 1) // CALLS]
            if len(inside) % CALLS == 0:
                all_inside.set()
            await all_inside.wait()
            return calls.leave(side, key)

        return call

    calls.operation.baseline(waiting("old"))
    calls.operation.candidate(waiting("new"))

    async def all_at_once():
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*(calls.operation(f"k{n}", key=f"k{n}") for n in range(CALLS)))

    assert asyncio.run(all_at_once()) == [calls.case.answer] * CALLS
