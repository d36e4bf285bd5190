"""What does each part of the call engine add to a call that goes well, and what does a call cost that does not?"""

from collections.abc import Callable, Iterator

from bench.fixtures import KEYS
from bench.measure import Row, microseconds_per_call, reference
from throwbar.breaker import Breaker
from throwbar.budget import Budget
from throwbar.circuit import Mode
from throwbar.clock import perf_clock_ns
from throwbar.deadline import Deadline
from throwbar.delivery import Fate, StartToken
from throwbar.kinds import Kind
from throwbar.retry import RetrySettings, next_pause
from throwbar.taxonomy import BY_CATEGORY, Category

CALLS = range(100_000)
MS = 1_000_000


def rows() -> Iterator[Row]:
    least = reference(KEYS)
    for name, run in PARTS.items():
        yield Row(name, max(microseconds_per_call(run) - microseconds_per_call(_nothing), 0.0), least)


def _nothing() -> int:
    for _ in CALLS:
        pass
    return len(CALLS)


def _breaker_success() -> int:
    breaker, now = Breaker(), perf_clock_ns()
    for _ in CALLS:
        permit = breaker.passing
        assert permit
        permit.succeeded(now, MS)
    return len(CALLS)


def _breaker_failure() -> int:
    breaker, now = Breaker(), perf_clock_ns()
    breaker.set_mode(Mode.FORCED_CLOSED)
    for _ in CALLS:
        permit = breaker.passing
        assert permit
        permit.failed(now, MS, hard=False)
    return len(CALLS)


def _breaker_open() -> int:
    breaker, now = Breaker(), perf_clock_ns()
    breaker.set_mode(Mode.FORCED_OPEN)
    for _ in CALLS:
        _ = breaker.passing or breaker.acquire(now)
    return len(CALLS)


def _budget_earns() -> int:
    budget = Budget()
    for _ in CALLS:
        budget.calls += 1
    return len(CALLS)


def _budget_spends() -> int:
    budget, now = Budget(), perf_clock_ns()
    for _ in CALLS:
        budget.spend(now)
    return len(CALLS)


def _deadline() -> int:
    now = perf_clock_ns()
    for _ in CALLS:
        with Deadline(1_000 * MS, now):
            pass
    return len(CALLS)


def _token() -> int:
    for _ in CALLS:
        token = StartToken(Kind.WRITE)
        token.start("snakepit")
        token.settle(Fate.NOT_SENT)
    return len(CALLS)


def _pause() -> int:
    settings, error = RetrySettings(), BY_CATEGORY[Category.TIMEOUT]
    for _ in CALLS:
        next_pause(settings, error, 1, 1.0)
    return len(CALLS)


PARTS: dict[str, Callable[[], int]] = {
    "breaker closed, success": _breaker_success,
    "breaker closed, failure": _breaker_failure,
    "breaker open, refused": _breaker_open,
    "retry budget, ordinary call": _budget_earns,
    "retry budget, one retry": _budget_spends,
    "deadline around a call": _deadline,
    "start token, one failed attempt": _token,
    "pause before a retry": _pause,
}
