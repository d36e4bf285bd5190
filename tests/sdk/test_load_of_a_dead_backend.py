"""What do retries, fallbacks and an open breaker add to what the backends get, when one is dead? On clocks set by hand."""

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


def simulate(service, share, *, breaker, calls=20_000, per_second=1_000, dead=1.0, **declared):
    """Calls at a steady rate of a candidate that fails so often; the load of both sides, and the callers' failures."""
    service.serve(share, breaker={"mode": "auto" if breaker else "forced_closed"})
    seeded, failed, most = random.Random(5), 0, 0

    def candidate():
        if seeded.random() < dead:
            raise refused()

    declared = {"kind": throwbar.READ, "retry": throwbar.Retry(base=0.0)} | declared
    operation = service.operation(candidate, **declared)
    for guard in service.orders._bind("read").guards:
        guard.breaker._clock_ns = service.perf
    for _ in range(calls):
        before = service.called["old"]
        try:
            operation(key=seeded.random())
        except ConnectionRefusedError:
            failed += 1
        most = max(most, service.called["old"] - before)
        service.perf.now += SECOND // per_second
    assert most <= 1, "a call reached the baseline twice"
    return service.called["new"], service.called["old"], failed


@pytest.mark.parametrize("share", [5_000, 50_000, 98_000, 100_000])
def test_row_17_retries_add_no_more_than_a_fifth_to_a_dead_backend(service, share):
    new, _, _ = simulate(service, share, breaker=False)

    ordinary = 20_000 * share / 100_000
    burst_and_trickle = 10 + 20
    assert ordinary * 0.95 < new <= 1.2 * ordinary * 1.05 + burst_and_trickle


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


@pytest.mark.parametrize("share", [5_000, 50_000, 98_000, 100_000])
def test_an_open_breaker_gives_the_baseline_its_former_load_and_no_more(service, share):
    _, old, failed = simulate(service, share, breaker=True)

    assert (old, failed) == (20_000, 0)  # every call once, as before there was a candidate


@pytest.mark.parametrize("share", [5_000, 50_000, 98_000])
def test_failures_that_open_no_breaker_are_rescued_as_far_as_the_baseline_can_bear_it(service, share):
    _, old, failed = simulate(service, share, breaker=False, dead=0.3, retry=None)

    ordinary = 20_000 * (1 - share / 100_000)
    wanted = 20_000 * share / 100_000 * 0.3
    bearable = ordinary + 100 + 20
    assert old == pytest.approx(ordinary + min(wanted, bearable), rel=0.1)
    assert failed == pytest.approx(max(0, wanted - bearable), rel=0.05, abs=20)


def test_retries_of_the_baseline_are_paid_for_too(service):
    service.serve(0)
    retry = throwbar.Retry(attempts=5, base=0.0, baseline=True)

    def dead():
        raise refused()

    operation = service.operation(lambda: None, dead, kind=throwbar.READ, retry=retry)
    for _ in range(10_000):
        with pytest.raises(ConnectionRefusedError):
            operation(key="k")
        service.perf.now += SECOND // 1_000

    assert 10_000 < service.called["old"] <= 1.2 * 10_000 + 10 + 10


def test_the_simulation_is_one_of_a_breaker_that_is_forced(service):
    simulate(service, 50_000, breaker=False, calls=10)

    assert service.orders._bind("read").guards[1].breaker.mode is Mode.FORCED_CLOSED
