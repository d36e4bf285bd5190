"""How much do retries and fallbacks add to what the backends get, when the candidate is dead? On clocks set by hand."""

import random

import pytest

import throwbar
from tests.sdk.fake_control_plane import PerfClock
from tests.sdk.routing import Service, refused
from throwbar.circuit import Mode

SECOND = 1_000_000_000


@pytest.fixture
def service(monkeypatch):
    service = Service()
    service.perf = PerfClock()
    engine = service.client._engine
    engine.perf_clock_ns = engine.tally.perf_clock_ns = service.perf
    yield service
    service.client.close()


def simulate(service, share, *, breaker, calls=20_000, per_second=1_000):
    """Calls at a steady rate of a candidate that is always dead; the load of both sides in calls."""
    service.serve(share, breaker={"mode": "auto" if breaker else "forced_closed"})

    def dead():
        raise refused()

    operation = service.operation(dead, kind=throwbar.READ, retry=throwbar.Retry(base=0.0))
    for guard in service.orders._bind("read").guards:
        guard.breaker._clock_ns = service.perf
    seeded, failed = random.Random(5), 0
    for _ in range(calls):
        try:
            operation(key=seeded.random())
        except ConnectionRefusedError:
            failed += 1
        service.perf.now += SECOND // per_second
    return service.called["new"], service.called["old"], failed


def test_row_17_retries_add_no_more_than_a_fifth_to_a_dead_backend(service):
    new, _, _ = simulate(service, 50_000, breaker=False)

    ordinary = 10_000
    burst_and_trickle = 10 + 20
    assert ordinary < new <= 1.2 * ordinary * 1.02 + burst_and_trickle


def test_row_17_with_its_breaker_a_dead_backend_gets_next_to_nothing(service):
    new, _, failed = simulate(service, 50_000, breaker=True)

    assert new < 100
    assert failed == 0


def test_fallbacks_do_not_more_than_double_what_the_baseline_gets(service):
    _, old, failed = simulate(service, 80_000, breaker=False)

    ordinary = 4_000
    burst_and_trickle = 100 + 20
    assert old <= 2 * ordinary * 1.03 + burst_and_trickle
    assert failed > 7_000  # the price: what the baseline cannot bear is not sent to it


def test_the_simulation_is_one_of_a_breaker_that_is_forced(service):
    simulate(service, 50_000, breaker=False, calls=10)

    assert service.orders._bind("read").guards[1].breaker.mode is Mode.FORCED_CLOSED
