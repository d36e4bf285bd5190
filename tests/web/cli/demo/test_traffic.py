"""Is every call made, written down once, and its failure put at the right door?"""

import threading
import time

from web.cli.demo.bridge import OPERATIONS, Request
from web.cli.demo.pool import OperationFailed, PoolTimeout, WorkerDied
from web.cli.demo.run import BASELINE
from web.cli.demo.traffic import Outcome, Traffic, outcome_of


class CountingService:
    """Counts what it is asked; `answer` decides how a call ends."""

    def __init__(self, answer=lambda: None) -> None:
        self.asked = 0
        self._answer = answer
        self._counting = threading.Lock()

    def ask(self, operation: str, request: Request) -> None:
        with self._counting:
            self.asked += 1
        request.backend = BASELINE
        self._answer()


def played(service: CountingService, least: int = 200) -> Traffic:
    traffic = Traffic(service.ask, ["some text"], rate=2_000, sessions=50)
    traffic.start()
    deadline = time.monotonic() + 30
    while len(traffic.calls()) < least and time.monotonic() < deadline:
        time.sleep(0.01)
    traffic.stop()
    return traffic


def test_every_call_is_written_down_once_in_the_order_of_beginning():
    service = CountingService()

    calls = played(service).calls()

    assert len(calls) == service.asked >= 200
    assert [call.at for call in calls] == sorted(call.at for call in calls)
    assert {call.operation for call in calls} == set(OPERATIONS)
    assert 25 < len({call.session for call in calls}) <= 50
    assert {(call.backend, call.outcome) for call in calls} == {(BASELINE, Outcome.OK)}


def test_no_call_begins_after_the_stop_and_none_is_left_half_way():
    service = CountingService(lambda: time.sleep(0.02))

    traffic = played(service)
    asked = service.asked

    assert len(traffic.calls()) == asked
    assert service.asked == asked


def test_a_backends_failure_does_not_stop_the_traffic_and_is_counted_as_its_own():
    def fail() -> None:
        raise OperationFailed("IndexError: tuple index out of range")

    calls = played(CountingService(fail)).calls()

    assert {call.outcome for call in calls} == {Outcome.BACKEND_FAILED}
    assert {call.error for call in calls} == {"OperationFailed: IndexError: tuple index out of range"}


def test_anything_that_no_backend_raises_is_throwbars_failure():
    assert outcome_of(None) is Outcome.OK
    assert outcome_of(None, failed=True) is Outcome.RESCUED
    assert {outcome_of(kind("x")) for kind in (PoolTimeout, WorkerDied, OperationFailed)} == {Outcome.BACKEND_FAILED}
    assert {outcome_of(kind("x")) for kind in (TypeError, KeyError, TimeoutError, ConnectionError)} == {
        Outcome.THROWBAR_FAILED
    }


def test_it_knows_when_the_last_call_to_a_backend_began():
    traffic = played(CountingService())

    assert traffic.last_at(BASELINE) == traffic.calls()[-1].at
    assert traffic.last_at("never called") == 0
