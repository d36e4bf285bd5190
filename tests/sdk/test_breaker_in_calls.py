"""The breaker as the engine uses it: what opens it, who still gets through, and what the control plane hears."""

import asyncio
import threading
import time

import pytest

import throwbar
from tests.sdk.fake_control_plane import a_flag
from tests.sdk.routing import Service, lost, raising, refused
from throwbar.circuit import Mode

READ = throwbar.READ
ONCE = {"kind": READ, "retry": None}


@pytest.fixture
def service():
    service = Service()
    yield service
    service.client.close()


def guards(service, name="read"):
    return service.orders._bind(name).guards


def failing(service, **declared):
    return service.operation(raising(*(refused() for _ in range(10_000))), **(ONCE | declared))


def test_row_14_hard_failures_in_a_row_open_it_and_the_baseline_serves(service):
    operation = failing(service)

    assert [operation(key=f"k{number}") for number in range(30)] == ["old"] * 30
    assert service.called == {"new": 5, "old": 30}
    assert service.orders.decide("read", key="k").reason == "circuit_open"
    cells = service.cells()
    assert cells["candidate", "share"]["errors"] == {"connection": 5, "breaker": 25}
    assert cells["candidate", "share"]["calls"] == cells["candidate", "share"]["bad_keys"] == 30
    assert sum(cells["candidate", "share"]["latency"].values()) == 5
    assert cells["baseline", "fallback"]["calls"] == 5
    assert cells["baseline", "breaker"]["ok"] == 25


def test_keys_turned_away_are_not_called_bad_where_one_key_that_fails_time_and_again_opened_it(service):
    operation = failing(service)

    for key in ["loud"] * 5 + [f"k{number}" for number in range(25)]:
        operation(key=key)

    cell = service.cells()["candidate", "share"]
    assert cell["errors"] == {"connection": 5, "cancelled": 25}
    assert (cell["keys"], cell["bad_keys"]) == (26, 1)


def test_nor_while_the_baseline_fails_as_well(service):
    down = raising(*(refused() for _ in range(10_000)))
    operation = service.operation(down, down, **ONCE)

    for number in range(30):
        with pytest.raises(ConnectionRefusedError):
            operation(key=f"k{number}")

    cell = service.cells()["candidate", "share"]
    assert cell["errors"] == {"connection": 5, "cancelled": 25}
    assert (cell["keys"], cell["bad_keys"]) == (30, 5)


def test_row_14_a_failure_rate_opens_it(service):
    answers = raising(*(ValueError() if number % 2 else None for number in range(1_000)))
    operation = service.operation(answers, **ONCE)

    for number in range(100):
        operation(key=f"k{number}")

    assert service.called["new"] == 20


def test_row_14_a_slow_rate_opens_it_where_slow_is_known(service):
    breaker = throwbar.Breaker(slow_seconds=0.001, min_calls=3)
    operation = service.operation(lambda: time.sleep(0.002), **(ONCE | {"breaker": breaker}))

    for number in range(10):
        operation(key=f"k{number}")

    assert service.called == {"new": 3, "old": 7}


def test_row_14_without_a_deadline_no_call_is_slow(service):
    service.operation(raising(), **ONCE)(key="k")

    assert guards(service)[1].breaker.settings.slow_rate > 1


def test_row_14_a_returned_error_counts_when_the_function_raises_it_and_answers_of_the_caller_do_not(service):
    error = raising(*(KeyError(number) for number in range(100)))
    operation = service.operation(error, kind=READ, expected=KeyError)

    for number in range(50):
        with pytest.raises(KeyError):
            operation(key=f"k{number}")

    assert service.called == {"new": 50}


def test_row_15_fifty_callers_of_a_half_open_breaker_make_three_probes(service):
    gate, inside = threading.Event(), threading.Semaphore(0)
    bad = [refused() for _ in range(5)]

    def candidate():
        if bad:
            raise bad.pop()
        inside.release()
        gate.wait(60)
        return "new"

    operation = service.operation(candidate, **(ONCE | {"breaker": throwbar.Breaker(open_seconds=1e-6)}))
    for number in range(5):
        operation(key=f"k{number}")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(operation(key="k"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert inside.acquire(timeout=60)
    while len(answers) < 47:
        time.sleep(0.001)
    gate.set()
    for thread in threads:
        thread.join()

    assert (answers.count("new"), answers.count("old")) == (3, 47)
    cells = service.cells()
    assert cells["candidate", "probe"]["ok"] == 3
    assert cells["baseline", "breaker"]["calls"] == 47


def test_row_15_a_cancelled_probe_frees_its_place(service):
    bad = [refused() for _ in range(5)]
    operation = service.orders.operation("read", breaker=throwbar.Breaker(open_seconds=1e-6, probe_results=1), **ONCE)

    @operation.baseline
    async def _(seconds):
        return "old"

    @operation.candidate
    async def _(seconds):
        if bad:
            raise bad.pop()
        await asyncio.sleep(seconds)
        return "new"

    async def probe():
        for number in range(5):
            await operation(0, key=f"k{number}")
        for _ in range(20):
            task = asyncio.create_task(operation(60, key="k"))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return await operation(0, key="k")

    assert asyncio.run(probe()) == "new"
    assert guards(service)[1].state == "closed"


def test_row_16_an_operation_a_route_and_an_attempt_count_alike():
    def by_operation(service):
        return service.operation(raising(None, RuntimeError()), kind=throwbar.WRITE)

    def by_route(service):
        candidate = raising(None, RuntimeError())
        return service.orders.route("read", candidate=lambda key: candidate(), key=lambda key: key)(lambda key: "old")

    def by_attempt(service):
        candidate = raising(None, RuntimeError())

        def call(key):
            with service.orders.attempt("read", key=key):
                candidate()

        return call

    told = []
    for way in (by_operation, by_route, by_attempt):
        service = Service()
        call = way(service)
        call(key="a")
        with pytest.raises(RuntimeError):
            call(key="b")
        (cell,) = service.cells().values()
        told.append({name: cell[name] for name in ("calls", "ok", "errors", "keys", "bad_keys", "side", "assigned_by")})
        service.client.close()
    assert told[0] == told[1] == told[2]
    assert (told[0]["calls"], told[0]["errors"]) == (2, {"application": 1})


def test_an_attempt_asks_the_breaker_and_tells_it(service):
    for number in range(5):
        with pytest.raises(ConnectionError), service.orders.attempt("read", key=f"k{number}"):
            raise refused()

    with service.orders.attempt("read", key="k") as attempt:
        assert (attempt.candidate, attempt.backend, attempt.decision.reason) == (False, "old", "circuit_open")


def test_cancelled_calls_say_nothing_about_the_backend(service):
    operation = service.operation(raising(*(KeyboardInterrupt() for _ in range(50))), **ONCE)

    for number in range(50):
        with pytest.raises(KeyboardInterrupt):
            operation(key=f"k{number}")

    assert service.called == {"new": 50}


@pytest.mark.parametrize(("mode", "side"), [("forced_open", "old"), ("forced_closed", "new")])
def test_a_mode_that_the_control_plane_forces_is_obeyed_at_once(service, mode, side):
    operation = service.operation(raising(), **ONCE)
    assert operation(key="k") == "new"

    service.serve(breaker={"mode": mode})

    assert operation(key="k") == side
    service.client.flush()
    assert mode in {breaker["state"] for breaker in service.told("breakers")}
    service.serve()
    assert operation(key="k") == "new"


def test_forced_closed_lets_all_calls_through(service):
    service.serve(breaker={"mode": "forced_closed"})
    operation = failing(service)

    for number in range(30):
        operation(key=f"k{number}")

    assert service.called["new"] == 30


def test_only_a_local_override_is_stronger_than_a_forced_breaker(service, monkeypatch):
    service.serve(breaker={"mode": "forced_open"})
    operation = service.operation(raising(), **ONCE)
    assert operation(key="k") == "old"

    monkeypatch.setattr(type(service.client._shelf), "overrides", property(lambda shelf: {"orders": "candidate"}))
    service.serve(breaker={"mode": "forced_open"})

    assert operation(key="k") == "new"
    assert service.server.reports[-1]["overrides"] == {"orders": "candidate"}


def test_the_control_plane_s_numbers_win_over_the_code_s(service):
    service.serve(breaker={"consecutive": 2, "open_seconds": 60})
    failing(service, breaker=throwbar.Breaker(hard_failures=9, min_calls=7))(key="k")

    settings = guards(service)[1].breaker.settings
    assert (settings.hard_failures, settings.open_seconds, settings.min_calls) == (2, 60, 7)


@pytest.mark.parametrize(
    ("switch", "new", "old"), [("breaker", 30, 30), ("retry", 5, 30), ("fallback", 5, 25), ("shadow", 5, 30)]
)
def test_row_21_each_switch_turns_one_thing_off(service, switch, new, old):
    service.serve(switches={switch: False})
    operation = failing(service, retry=throwbar.Retry(base=0.0) if switch == "retry" else None)
    errors = 0
    for number in range(30):
        try:
            operation(key=f"k{number}")
        except ConnectionRefusedError:
            errors += 1

    assert (service.called["new"], service.called["old"], errors) == (new, old, 30 - old)
    cells = service.cells()
    assert cells["candidate", "share"].get("retries", 0) == 0
    assert ("baseline", "fallback") in cells or switch == "fallback"
    assert ("baseline", "breaker") in cells or switch == "breaker"


def test_the_baseline_s_breaker_measures_and_never_acts(service):
    service.serve(0)
    operation = service.operation(raising(), raising(*(refused() for _ in range(100))), **ONCE)

    for number in range(50):
        with pytest.raises(ConnectionRefusedError):
            operation(key=f"k{number}")

    assert service.called == {"old": 50}
    assert guards(service)[0].breaker.opens == 1


def test_a_breaker_that_opens_makes_a_report_at_once(service):
    poller = service.client._poller
    operation = failing(service)

    for number in range(5):
        operation(key=f"k{number}")

    assert poller.wait_until(lambda: service.told("breakers"), 60)
    told = service.told("breakers")[0]
    assert (told["flag"], told["operation"], told["side"], told["state"]) == ("orders", "read", "candidate", "open")
    assert (told["opens"], told["failure_rate"], told["since"]) == (1, 1.0, service.clock())


def test_a_closed_breaker_is_told_once_and_then_no_more(service):
    operation = service.operation(raising(*(lost() for _ in range(3))), kind=READ, retry=None)
    service.serve(breaker={"mode": "forced_open"})
    operation(key="k")
    service.client.flush()
    service.serve()
    operation(key="k")
    service.client.flush()
    service.client.flush()

    states = [report.get("breakers", [{}])[0].get("state") for report in service.server.reports]
    assert states[-1] is None
    assert "closed" in states
    assert "forced_open" in states


def test_settings_without_sense_leave_the_snapshot_in_hand(service):
    version = service.client.status().version
    service.server.document = service.server.document | {
        "version": version + 1,
        "flags": {"orders": a_flag(operations={"read": {"share": 0, "breaker": {"min_calls": "many"}}})},
    }
    service.client.flush()

    assert service.client.status().version == version
    assert "flags.orders.operations.read" in service.client.status().last_error


def test_two_handles_of_one_flag_share_its_breakers(service):
    again = service.client.migration("orders", baseline="old")

    assert again is service.orders
    assert again._bind("read") is service.orders._bind("read")
    assert guards(service)[0].breaker.mode is Mode.METRICS_ONLY
