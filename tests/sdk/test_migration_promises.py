"""What a migration promises beyond single calls: both backends alike, measured from the first day, taken back at once."""

import contextlib
import threading

import pytest

import throwbar
from tests.sdk.fake_control_plane import PerfClock, a_document, a_flag, a_share
from tests.sdk.routing import Service, lost, raising, refused

ALL = 100_000
READ = throwbar.READ


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


class NoSuchOrder(Exception):
    pass


def one_day(share):
    """The same calls and the same failures on one side; what callers saw and what was reported of it."""
    service, seen, workers = Service(share), [], throwbar.Affinity(["w1", "w2"])
    bad = [ValueError("bug"), NoSuchOrder(), refused(), refused(), None, TimeoutError(), lost(), PermissionError("no")]
    turn = raising(*bad)

    def backend(text, *, times=1):
        with workers.lease("session") as assignment:
            seen.append(assignment.worker)
        seen.append(round(throwbar.remaining()) > 0)
        turn()
        return [text] * times

    declared = {"kind": READ, "deadline": 60.0, "fallback": False, "expected": NoSuchOrder}
    retry = throwbar.Retry(attempts=2, base=0.0, baseline=True)
    operation = service.operation(backend, backend, retry=retry, **declared)
    for number in range(8):
        try:
            seen.append(operation(str(number), times=2, key="k"))
        except Exception as error:  # noqa: BLE001 - whichever it is, it must be the same on the other side
            seen.append((type(error), any(error is its for its in bad), error.__context__))
    with contextlib.suppress(KeyError), service.orders.attempt("read", key="k"):
        raise KeyError
    (cell,) = service.cells().values()
    told = {name: cell[name] for name in ("calls", "ok", "errors", "keys", "bad_keys", "retries", "pending")}
    guard = service.orders._bind("read").guards[share == ALL]
    service.client.close()
    return seen, told, sum(cell["latency"].values()), guard.breaker.state_document()["failure_rate"], service.called


def test_row_2_what_a_service_relies_on_is_there_on_both_sides_alike():
    *of_baseline, old = one_day(0)
    *of_candidate, new = one_day(ALL)

    assert of_baseline == of_candidate
    assert (old, new) == ({"old": old["old"]}, {"new": old["old"]})
    _, told, measured, rate = of_baseline
    assert measured == told["calls"] == 9
    assert told["errors"] == {"application": 2, "connection": 1, "timeout": 1, "system": 1}
    assert told["retries"] == 2
    assert 0 < rate < 1


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"orders": a_flag(operations=a_share(0))}, "share"),
        ({"orders": a_flag(enabled=False)}, "disabled"),
        ({"orders": a_flag(operations={})}, "default"),
        ({}, "default"),
    ],
)
def test_row_7_the_baseline_is_measured_before_anything_moves(service, flags, reason):
    service.server.document = a_document(9, flags=flags)
    service.client.flush()
    operation = service.operation(raising(), raising(None, ValueError()), kind=READ)

    for number in range(10):
        with contextlib.suppress(ValueError):
            operation(key=f"k{number}")

    cell = service.cells()["baseline", reason]
    assert (cell["flag"], cell["operation"], cell["backend"]) == ("orders", "read", "old")
    assert (cell["calls"], cell["ok"], cell["errors"]) == (10, 9, {"application": 1})
    assert sum(cell["latency"].values()) == 10


def test_row_25_nobody_waits_for_a_shadow_call_and_its_pair_is_compared_by_result_and_by_time(service):
    service.serve(0, mode="shadow", shadow_share=ALL)
    may_answer, answered = threading.Event(), threading.Event()

    def slow():
        assert may_answer.wait(60)
        answered.set()
        return "new"

    operation = service.operation(slow, lambda: "new", kind=READ)

    assert operation(key="k") == "new"  # and not before: nobody has told the candidate that it may answer

    assert not answered.is_set()
    may_answer.set()
    assert answered.wait(60)
    pair = None
    while pair is None:
        cell = service.cells().get(("baseline", "share"), {})
        pair = cell.get("shadow")
    assert pair == {"pairs": 1, "match": 1}
    assert sum(cell["ratio"].values()) == 1


def test_row_25_the_copy_for_the_shadow_call_is_no_part_of_the_time_that_is_compared():
    service = Service(0, mode="shadow", shadow_share=ALL)
    service.client.engine.perf_clock_ns = service.client.engine.tally.perf_clock_ns = clock = PerfClock()

    def copied(value):
        clock.now += 1_000_000_000
        return value

    def takes_a_millisecond(text):
        clock.now += 1_000_000

    operation = service.operation(takes_a_millisecond, takes_a_millisecond, kind=READ, snapshot=copied)
    operation("text", key="k")
    cell = {}
    while "ratio" not in cell:
        cell = service.cells().get(("baseline", "share"), {})
    service.client.close()

    assert cell["ratio"] == {"-1": 1}  # as long as each other


WAYS_BACK = {
    "immediate": {"enabled": False},
    "gradual": {"operations": a_share(0)},
    "of one operation": {"operations": a_share(ALL, rolled_back=True)},
    "of the whole flag": {"rolled_back": True, "operations": a_share(ALL)},
}


@pytest.mark.parametrize("way", WAYS_BACK)
def test_row_31_every_way_back_holds_from_the_next_poll_on_and_a_late_answer_cannot_undo_it(service, way):
    operation = service.operation(raising(), kind=READ)
    assert [operation(key=f"k{number}") for number in range(20)] == ["new"] * 20
    before = service.server.document

    service.server.document = a_document(before["version"] + 1, flags={"orders": a_flag(**WAYS_BACK[way])})
    assert service.client._exchange.poll()
    assert [operation(key=f"k{number}") for number in range(20)] == ["old"] * 20

    service.server.document = before
    assert not service.client._exchange.poll()
    assert [operation(key=f"k{number}") for number in range(20)] == ["old"] * 20
    assert "older than" in service.client.status().last_error
