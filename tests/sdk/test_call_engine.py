"""What a caller gets, and which backend is called how often, for every kind of failure: the engine as it is wired."""

import asyncio
from types import SimpleNamespace

import pytest

import throwbar
from tests.sdk.fake_control_plane import PerfClock
from tests.sdk.faulty_world import LoopOnAClock
from tests.sdk.routing import Service, lost, raising, refused
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery

NO_PAUSE = throwbar.Retry(base=0.0)
READ, IDEMPOTENT, WRITE = throwbar.READ, throwbar.IDEMPOTENT_WRITE, throwbar.WRITE


class Classified(Exception):
    """An error that says itself what it is."""

    def __init__(self, category, **changes):
        super().__init__(category)
        self.error_info = BY_CATEGORY[category]._replace(**changes)


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


FATES = {
    "not sent": lambda: Classified(Category.CONNECTION),
    "rejected": lambda: Classified(Category.THROTTLED),
    "rejected for good": lambda: Classified(Category.VALIDATION),
    "unknown": lambda: Classified(Category.TIMEOUT),
    "applied": lambda: Classified(Category.COMMUNICATION, delivery=Delivery.APPLIED, retryable=False),
    "application": lambda: Classified(Category.APPLICATION),
}
# fate, kind: calls of the candidate, calls of the baseline, what the caller gets
MATRIX = {
    ("not sent", READ): (3, 1, "old"),
    ("not sent", IDEMPOTENT): (3, 1, "old"),
    ("not sent", WRITE): (3, 1, "old"),
    ("rejected", READ): (3, 1, "old"),
    ("rejected", IDEMPOTENT): (3, 1, "old"),
    ("rejected", WRITE): (3, 0, Classified),
    ("rejected for good", READ): (1, 0, Classified),
    ("rejected for good", IDEMPOTENT): (1, 0, Classified),
    ("rejected for good", WRITE): (1, 0, Classified),
    ("unknown", READ): (3, 1, "old"),
    ("unknown", IDEMPOTENT): (3, 0, throwbar.OutcomeUnknown),
    ("unknown", WRITE): (1, 0, throwbar.OutcomeUnknown),
    ("applied", READ): (1, 1, "old"),
    ("applied", IDEMPOTENT): (1, 0, throwbar.OutcomeUnknown),
    ("applied", WRITE): (1, 0, throwbar.OutcomeUnknown),
    ("application", READ): (1, 1, "old"),
    ("application", IDEMPOTENT): (1, 0, Classified),
    ("application", WRITE): (1, 0, Classified),
}


@pytest.mark.parametrize(("fate", "kind"), MATRIX, ids=str)
def test_row_22_each_failure_of_each_kind_of_call_has_one_outcome(service, fate, kind):
    new, old, outcome = MATRIX[fate, kind]
    errors = [FATES[fate]() for _ in range(5)]
    operation = service.operation(raising(*errors), kind=kind, retry=NO_PAUSE)

    if outcome == "old":
        assert operation(key="k") == "old"
    else:
        with pytest.raises(outcome) as caught:
            operation(key="k")
        assert outcome is throwbar.OutcomeUnknown or caught.value in errors
    assert (service.called["new"], service.called["old"]) == (new, old)


@pytest.mark.parametrize(("fate", "kind"), MATRIX, ids=str)
def test_row_22_coroutines_have_the_same_outcomes(service, fate, kind):
    new, old, outcome = MATRIX[fate, kind]
    answer = raising(*(FATES[fate]() for _ in range(5)))
    operation = service.orders.operation("read", kind=kind, retry=NO_PAUSE)

    @operation.baseline
    async def _():
        service.called["old"] += 1
        return "old"

    @operation.candidate
    async def _():
        service.called["new"] += 1
        await asyncio.sleep(0)
        return answer()

    if outcome == "old":
        assert asyncio.run(operation(key="k")) == "old"
    else:
        with pytest.raises(outcome):
            asyncio.run(operation(key="k"))
    assert (service.called["new"], service.called["old"]) == (new, old)


def test_row_22_a_write_with_a_lost_reply_runs_once_and_leaves_a_receipt(service):
    heard, error = [], lost()
    operation = service.operation(
        lambda order: raising(error)(), on_unknown=heard.append, idempotency_key=lambda order: f"key of {order}"
    )

    with pytest.raises(throwbar.OutcomeUnknown) as caught:
        operation("order 7", key="session")

    receipt = caught.value.receipt
    assert caught.value.__cause__ is error
    assert heard == [receipt]
    assert (receipt.flag, receipt.operation, receipt.backend) == ("orders", "read", "new")
    assert service.called == {"new": 1}
    cell = service.cells()["candidate", "share"]
    assert (cell["errors"], cell["unknown"], cell["ok"]) == ({"communication": 1}, 1, 0)
    (told,) = service.told("receipts")
    assert told["idempotency_key"] == "key of order 7"
    assert told["key"] == receipt.key_hash != "session"


def test_an_error_of_a_hook_does_not_hide_the_truth(service):
    operation = service.operation(raising(lost()), on_unknown=lambda receipt: 1 / 0)

    with pytest.raises(throwbar.OutcomeUnknown):
        operation(key="k")

    assert service.client.status().internal_errors == 1


def test_expected_exceptions_are_answers(service):
    error = KeyError("no such order")
    operation = service.operation(raising(error), kind=READ, expected=KeyError)

    with pytest.raises(KeyError) as caught:
        operation(key="k")

    assert caught.value is error
    cell = service.cells()["candidate", "share"]
    assert (cell["ok"], cell["errors"], cell["bad_keys"]) == (1, {}, 0)
    assert service.called == {"new": 1}


def test_a_retry_that_succeeds_makes_the_call_good(service):
    operation = service.operation(raising(refused(), refused()), kind=WRITE, retry=NO_PAUSE)

    assert operation(key="k") == "new"
    cell = service.cells()["candidate", "share"]
    assert (cell["calls"], cell["ok"], cell["retries"]) == (1, 1, 2)


def test_a_rescued_call_is_an_error_of_the_candidate_and_a_call_of_the_baseline(service):
    operation = service.operation(raising(ValueError()), kind=READ)

    assert operation(key="k") == "old"
    cells = service.cells()
    assert (cells["candidate", "share"]["errors"], cells["candidate", "share"]["fallbacks"]) == ({"application": 1}, 1)
    assert (cells["baseline", "fallback"]["ok"], cells["baseline", "fallback"]["calls"]) == (1, 1)


def test_what_the_baseline_raises_as_the_fallback_carries_nothing_of_the_candidate(service):
    error = KeyError("old")
    operation = service.operation(raising(ValueError()), raising(error), kind=READ)

    with pytest.raises(KeyError) as caught:
        operation(key="k")

    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)


def test_calls_of_the_baseline_are_made_once(service):
    service.serve(0)
    operation = service.operation(raising(), raising(refused()), kind=READ, retry=NO_PAUSE)

    with pytest.raises(ConnectionRefusedError):
        operation(key="k")

    assert service.called == {"old": 1}


def test_calls_of_the_baseline_are_repeated_where_their_author_asked_for_it(service):
    service.serve(0)
    retry = throwbar.Retry(base=0.0, baseline=True)
    operation = service.operation(raising(), raising(refused(), refused()), kind=READ, retry=retry)

    assert operation(key="k") == "new"
    assert service.called == {"old": 3}


@pytest.mark.parametrize(
    ("declared", "new"), [({"retry": None}, 1), ({"retry": throwbar.Retry(attempts=2, base=0.0)}, 2)]
)
def test_what_the_code_says_of_retries_holds(service, declared, new):
    service.operation(raising(*(refused() for _ in range(9))), kind=READ, **declared)(key="k")

    assert service.called == {"new": new, "old": 1}


def test_what_the_control_plane_writes_of_retries_wins(service):
    service.serve(retry={"attempts": 4, "base_seconds": 0.0})
    service.operation(raising(*(refused() for _ in range(9))), kind=READ, retry=None, breaker=None)(key="k")

    assert service.called == {"new": 4, "old": 1}


def test_without_fallback_the_caller_gets_the_error(service):
    error = ValueError()
    operation = service.operation(raising(error), kind=READ, fallback=False)

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the same object is what counts
        operation(key="k")

    assert caught.value is error


def on_a_clock(service, monkeypatch=None):
    """The time of the service's calls, set by hand; with a `monkeypatch` also that of pauses between attempts."""
    clock = service.client.engine.perf_clock_ns = service.client.engine.tally.perf_clock_ns = PerfClock()
    if monkeypatch is not None:
        monkeypatch.setattr("throwbar.drive.time", SimpleNamespace(sleep=clock.sleep))
    return clock


def test_one_deadline_spans_attempts_and_fallback(service):
    on_a_clock(service)
    left = {}

    def candidate():
        left["new"] = throwbar.remaining()
        raise ValueError

    def baseline():
        left["old"] = throwbar.remaining()
        return "old"

    assert service.operation(candidate, baseline, kind=READ, deadline=10.0)(key="k") == "old"
    assert left == {"new": 8.0, "old": 10.0}
    assert throwbar.remaining() is None


def test_a_coroutine_that_hangs_is_ended_in_time_for_the_baseline(service):
    operation = service.orders.operation("read", kind=READ, deadline=0.2, retry=None)
    clock = on_a_clock(service)

    @operation.baseline
    async def _():
        return "old"

    @operation.candidate
    async def _():
        await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=lambda: LoopOnAClock(clock)) as runner:
        assert runner.run(operation(key="k")) == "old"
    assert service.cells()["candidate", "share"]["errors"] == {"timeout": 1}


def test_a_call_within_a_call_whose_time_is_over_does_not_start(service):
    clock = on_a_clock(service)
    inner = service.operation(raising(), kind=WRITE, fallback=False, deadline=5.0)
    outer = service.orders.operation("outer", kind=READ, deadline=0.01)

    def too_long():
        clock.sleep(0.02)
        return inner(key="k")

    outer.baseline(too_long)
    outer.candidate(too_long)

    with pytest.raises(throwbar.DeadlineExceeded):
        outer(key="k")

    assert service.called["new"] == 0


def test_cancellation_is_nobodys_fault_and_ends_the_call_at_once(service):
    operation = service.orders.operation("read", kind=READ)

    @operation.baseline
    async def _():
        service.called["old"] += 1

    @operation.candidate
    async def _():
        service.called["new"] += 1
        await asyncio.sleep(60)

    async def cancel_one():
        task = asyncio.create_task(operation(key="k"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_one())

    assert service.called == {"new": 1}
    assert service.cells()["candidate", "share"]["errors"] == {"cancelled": 1}


def test_cancellation_during_a_pause_ends_the_call_too(service):
    operation = service.orders.operation("read", kind=READ, retry=throwbar.Retry(base=3_000.0, cap=3_000.0))

    @operation.baseline
    async def _():
        service.called["old"] += 1

    tried = asyncio.Event()

    @operation.candidate
    async def _():
        service.called["new"] += 1
        tried.set()
        raise refused()

    async def cancel_one():
        task = asyncio.create_task(operation(key="k"))
        await tried.wait()  # and in the same turn of the loop the pause began
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_one())

    assert service.called == {"new": 1}


def test_nested_calls_do_not_multiply_their_attempts(service):
    inner = service.operation(raising(*(refused() for _ in range(99))), kind=READ, fallback=False, retry=NO_PAUSE)
    outer = service.orders.operation("outer", kind=READ, retry=throwbar.Retry(base=0.0, baseline=True))
    outer.baseline(lambda: inner(key="k"))
    outer.candidate(lambda: inner(key="k"))

    with pytest.raises(ConnectionRefusedError):
        outer(key="k")

    assert service.called["new"] == 5  # three by the first attempt, one by each of the others


def test_a_bug_of_ours_after_the_answer_costs_the_caller_nothing(service, monkeypatch):
    operation = service.operation(raising(), kind=READ, deadline=5.0)
    monkeypatch.setattr("throwbar.steps._marks", lambda *args: 1 / 0)

    assert operation(key="k") == "new"
    assert service.called == {"new": 1}
    assert service.client.status().internal_errors == 1


def test_a_bug_of_ours_before_the_call_sends_it_to_the_baseline_once(service, monkeypatch):
    operation = service.operation(raising(), kind=READ, deadline=5.0)
    monkeypatch.setattr("throwbar.steps._attempts", lambda *args: 1 / 0)

    assert operation(key="k") == "old"
    assert service.called == {"old": 1}


def test_row_17_a_plain_call_never_outlives_its_deadline_by_a_pause(service, monkeypatch):
    clock = on_a_clock(service, monkeypatch)
    monkeypatch.setattr("throwbar.chance.os", SimpleNamespace(urandom=lambda size: b"\xff" * size))  # no pause is short
    retry = throwbar.Retry(attempts=50, base=0.02, cap=0.02)
    operation = service.operation(
        raising(*(refused() for _ in range(99))), kind=READ, deadline=0.1, retry=retry, fallback=False
    )
    began = clock.now

    with pytest.raises(ConnectionRefusedError):
        operation(key="k")

    assert 1 < service.called["new"] < 50
    assert clock.now - began < 100_000_000
