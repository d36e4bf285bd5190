"""Random faults through every path of a call: retry, pause, breaker, budgets, deadline, fallback, cancellation.

A small engine, the plainest that could be written with the parts, is run against backends that know what they did.
"""

import random
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import PerfClock
from throwbar.breaker import Breaker, tell
from throwbar.budget import Budget, BudgetSettings
from throwbar.circuit import BreakerSettings
from throwbar.deadline import Deadline
from throwbar.delivery import Fate, OutcomeUnknown, Permissions, StartToken, WriteReceipt, course, fate_of
from throwbar.kinds import Kind
from throwbar.retry import RetrySettings, next_pause
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery, ErrorInfo

MS = 1_000_000


class Failed(Exception):
    def __init__(self, error):
        super().__init__(error.category)
        self.error = error


class Fault(NamedTuple):
    """What one attempt does to the backend, and what the caller can tell from it."""

    applied: bool
    error: ErrorInfo | None
    ms: int = 1


def of(category, **changes):
    return BY_CATEGORY[category]._replace(**changes)


FAULTS = {
    "none": Fault(True, None),
    "refused": Fault(False, of(Category.CONNECTION)),
    "no backend": Fault(False, of(Category.INITIALIZATION)),
    "throttled": Fault(False, of(Category.THROTTLED, retry_after=0.02)),
    "invalid": Fault(False, of(Category.VALIDATION)),
    "request lost": Fault(False, of(Category.TIMEOUT), ms=300),
    "reply lost": Fault(True, of(Category.TIMEOUT), ms=300),
    "hung up": Fault(True, of(Category.COMMUNICATION)),
    "broken before": Fault(False, of(Category.APPLICATION)),
    "broken after": Fault(True, of(Category.APPLICATION)),
    "reply garbled": Fault(True, of(Category.COMMUNICATION, delivery=Delivery.APPLIED)),
    "cancelled before": Fault(False, of(Category.CANCELLED)),
    "cancelled after": Fault(True, of(Category.CANCELLED)),
}


class World:
    """Two backends, the engine's parts, and what was done to whom. A backend honours idempotency keys."""

    def __init__(self, kind, permissions, faults):
        self.kind, self.permissions, self.faults = kind, permissions, faults
        self.clock = PerfClock()
        settings = BreakerSettings(min_calls=4, hard_failures=3, open_seconds=1)
        self.breaker = Breaker(settings, deadline=1.0, clock_ns=self.clock, chance=lambda: 0.5)
        self.retries, self.fallbacks = Budget(BudgetSettings(0.02, 5, 0.01)), Budget(BudgetSettings(0, 20, 0.1))
        self.started, self.effects = Counter(), Counter()

    def attempt(self, token, backend):
        token.start(backend)
        self.started[backend] += 1
        fault = FAULTS[next(self.faults)]
        self.clock.now += fault.ms * MS
        if fault.applied:
            store = "shared" if self.permissions.shared_keys else backend
            self.effects[store] = 1 if self.kind is Kind.IDEMPOTENT_WRITE else self.effects[store] + 1
        return fault

    def call(self):
        """One logical call. Raises Failed with the error of an attempt, or OutcomeUnknown."""
        self.started.clear()
        self.effects.clear()
        token = StartToken(self.kind, self.permissions)
        with Deadline(1_000 * MS, self.clock.now, reserving=True, clock_ns=self.clock) as deadline:
            error, after = self.try_candidate(token, deadline)
            if error is None and after is None:
                return "candidate"
            if after.fall_back and (error is None or self.fallbacks.spend(self.clock.now)):
                deadline.release_reserve()
                return self.try_baseline(token)
        if after.unknown:
            raise OutcomeUnknown(WriteReceipt("orders", "create", token.uncertain_at, 0.0)) from Failed(error)
        raise Failed(error)

    def try_candidate(self, token, deadline):
        self.retries.calls += 1
        error, after, number = None, course(self.kind, Fate.NEVER_STARTED), 1
        while deadline.remaining_ns() > 0 and (permit := self.breaker.passing or self.breaker.acquire(self.clock.now)):
            fault = self.attempt(token, "new")
            error = fault.error
            tell(permit, error, self.clock.now, fault.ms * MS)
            if error is None:
                return None, None
            after = token.settle(fate_of(error))
            pause = next_pause(RetrySettings(), error, number, deadline.remaining()) if after.retry else None
            if pause is None or not self.retries.spend(self.clock.now):
                break
            self.clock.now += int(pause * 1e9)
            number += 1
        return error, after

    def try_baseline(self, token):
        error = self.attempt(token, "old").error
        if error is not None:
            token.settle(fate_of(error))
            raise Failed(error)
        return "baseline"


def judge(world):
    """Make one call and hold its outcome against what was done."""
    try:
        outcome = world.call()
    except OutcomeUnknown:
        outcome = "unknown"
    except Failed as failed:
        certain = failed.error.category is not Category.CANCELLED and not world.started["old"]
        outcome = "failed" if certain else "failed as the host knows it"
    done = sum(world.effects.values())
    if world.kind is not Kind.READ:
        assert done <= 1, f"done {done} times"
        assert done == 1 or outcome not in {"candidate", "baseline"}, "said to be done, and was not"
        assert done == 0 or outcome != "failed", "said to have failed, and was done"
    else:
        assert outcome != "unknown"
    return outcome


KINDS = st.sampled_from(Kind)
PERMISSIONS = st.builds(Permissions, fall_back_on_reject=st.booleans(), shared_keys=st.booleans())


@given(
    kind=KINDS,
    permissions=PERMISSIONS,
    faults=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=60),
    pauses=st.lists(st.sampled_from([0, 10, 1_500]), min_size=1, max_size=20),
)
def test_no_schedule_of_faults_does_a_write_twice(kind, permissions, faults, pauses):
    world = World(kind, permissions, iter([*faults, *["none"] * 300]))
    for pause in pauses:
        judge(world)
        world.clock.now += pause * MS


@pytest.mark.parametrize("kind", Kind)
def test_a_long_bad_day_does_no_write_twice_and_leaves_no_path_untried(kind):
    seeded = random.Random(11)

    def faults():
        while True:
            bad = seeded.choice([0.05, 0.3, 0.9])
            names = [seeded.choice(sorted(FAULTS)) if seeded.random() < bad else "none" for _ in range(50)]
            yield from names

    world = World(kind, Permissions(fall_back_on_reject=True), faults())
    outcomes, attempts, refused = Counter(), Counter(), 0
    for _ in range(20_000):
        outcomes[judge(world)] += 1
        attempts[world.started["new"]] += 1
        refused += not world.started["new"] and world.started["old"]
        world.clock.now += seeded.choice([1, 20, 400]) * MS

    assert {"candidate", "baseline", "failed", "failed as the host knows it"} <= set(outcomes)
    assert ("unknown" in outcomes) is (kind is not Kind.READ)
    assert {0, 1, 2, 3} == set(attempts)
    assert refused > 100
    assert world.breaker.opens > 10
    assert min(world.retries.denied, world.fallbacks.denied) > 10


def test_a_write_with_a_lost_reply_runs_once_and_the_caller_is_told():
    world = World(Kind.WRITE, Permissions(), iter(["reply lost", "none"]))

    with pytest.raises(OutcomeUnknown) as told:
        world.call()

    assert (world.started, world.effects) == ({"new": 1}, {"new": 1})
    assert told.value.receipt.backend == "new"


def test_a_write_that_was_refused_is_done_by_the_baseline():
    world = World(Kind.WRITE, Permissions(), iter(["refused", "no backend", "none"]))

    assert judge(world) == "baseline"
    assert world.started == {"new": 2, "old": 1}


def test_what_a_retry_could_not_send_may_still_have_been_done_before():
    world = World(Kind.IDEMPOTENT_WRITE, Permissions(), iter(["reply lost", "refused", "refused", "none"]))

    assert judge(world) == "unknown"
    assert world.started == {"new": 3}
