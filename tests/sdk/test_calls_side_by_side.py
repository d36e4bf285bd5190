"""Do slow calls wait for each other? Threads and coroutines at once, in every state that a call can find its engine in.

What is compared is the time from the first start to the last end with the sum of what each call took by itself.
"""

import asyncio
import threading
import time
from typing import Any, NamedTuple

import pytest

import throwbar
from tests.sdk.routing import Service, refused

CALLS, SECONDS = 8, 0.05
TRIALS = 3  # a machine may be busy; that calls wait for each other would show each time


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
    "with a deadline": Case(READ | {"deadline": 30.0}, "new"),
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
    """Slow calls of one operation, and how long each attempt was inside its backend."""

    def __init__(self, service, case):
        self.case, self.inside, self.answers, self.refused = case, [], [], {}
        self.operation = service.orders.operation("read", **case.declared)
        breaker = service.orders._bind("read").guards[1].breaker
        while case.opened and breaker.passing is not None:
            breaker.passing.failed(time.perf_counter_ns(), 1, hard=True)

    def left(self, side, key, began):
        self.inside.append(time.perf_counter() - began)
        refusals = self.refused[key] = self.refused.get(key, 0) + (side == "new")
        if side == "new" and refusals <= self.case.refuses:
            raise refused()
        return side

    def ratio(self, run):
        """1 when they wait for each other, one eighth when they do not."""
        ratios = []
        for _ in range(TRIALS):
            self.inside.clear()
            self.answers.clear()
            self.refused.clear()
            ratios.append(run() / sum(self.inside))
            assert self.answers == [self.case.answer] * CALLS
            if ratios[-1] < 0.2:
                break
        return min(ratios)


def test_row_14_slow_calls_of_threads_run_side_by_side(calls):
    def slow(side):
        def call(key):
            began = time.perf_counter()
            time.sleep(SECONDS)
            return calls.left(side, key, began)

        return call

    calls.operation.baseline(slow("old"))
    calls.operation.candidate(slow("new"))

    def all_at_once():
        keys = [f"k{number}" for number in range(CALLS)]
        threads = [
            threading.Thread(target=lambda key=key: calls.answers.append(calls.operation(key, key=key))) for key in keys
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began

    assert calls.ratio(all_at_once) < 0.5


def test_row_14_slow_calls_of_coroutines_run_side_by_side(calls):
    def slow(side):
        async def call(key):
            began = time.perf_counter()
            await asyncio.sleep(SECONDS)
            return calls.left(side, key, began)

        return call

    calls.operation.baseline(slow("old"))
    calls.operation.candidate(slow("new"))

    async def all_at_once():
        began = time.perf_counter()
        calls.answers += await asyncio.gather(*(calls.operation(f"k{n}", key=f"k{n}") for n in range(CALLS)))
        return time.perf_counter() - began

    assert calls.ratio(lambda: asyncio.run(all_at_once())) < 0.5
