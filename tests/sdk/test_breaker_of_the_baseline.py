"""Does the baseline's breaker only measure, and act where the code asks it to?"""

import asyncio

import pytest

import throwbar
from tests.sdk.fake_control_plane import PerfClock
from tests.sdk.routing import Service, refused
from throwbar.errors import ConfigurationError
from throwbar.evidence import classify

ACTING = throwbar.Breaker(baseline=True, hard_failures=3, open_seconds=10, open_jitter=0, probe_results=1)
NEVER_AGAIN = throwbar.Retry(attempts=1)


class Backend:
    """Refuses calls while it is down."""

    down = True
    calls = 0

    def __call__(self):
        self.calls += 1
        if self.down:
            raise refused()
        return "old"


def failing(times, call):
    for _ in range(times):
        with pytest.raises(ConnectionRefusedError):
            call(key="k")


@pytest.fixture
def perf():
    return PerfClock()


@pytest.fixture
def service(perf):
    service = Service(0)
    engine = service.client.engine
    engine.perf_clock_ns = engine.tally.perf_clock_ns = perf
    yield service
    service.client.close()


def on_this_clock(service, perf):
    for guard in service.orders._bind("read").guards:
        guard.breaker._clock_ns = perf


def test_by_default_every_call_reaches_a_baseline_that_is_down(service):
    backend = Backend()
    read = service.operation(lambda: "new", backend, breaker=throwbar.Breaker(hard_failures=3))

    failing(20, read)

    assert backend.calls == 20


def test_one_that_would_be_open_is_told_of_as_long_as_it_would_be(service, perf):
    read = service.operation(lambda: "new", Backend(), breaker=throwbar.Breaker(hard_failures=3, open_seconds=10))
    on_this_clock(service, perf)
    guard = service.orders._bind("read").guards[0]
    guard.breaker.renew()

    failing(3, read)
    guard.changed = False

    assert guard.noteworthy
    perf.now += 11 * 10**9
    assert not guard.noteworthy


def test_one_that_was_asked_to_act_keeps_calls_away_then_probes_and_closes(service, perf):
    backend = Backend()
    read = service.operation(lambda: "new", backend, breaker=ACTING, retry=NEVER_AGAIN)
    on_this_clock(service, perf)

    failing(3, read)
    with pytest.raises(throwbar.BreakerOpen, match="breaker of old is open"):
        read(key="k")
    assert backend.calls == 3

    perf.now += 11 * 10**9
    backend.down = False
    assert [read(key="k") for _ in range(3)] == ["old"] * 3
    assert service.orders._bind("read").guards[0].state == "closed"


def test_a_probe_that_fails_opens_it_again(service, perf):
    backend = Backend()
    read = service.operation(lambda: "new", backend, breaker=ACTING, retry=NEVER_AGAIN)
    on_this_clock(service, perf)
    failing(3, read)

    perf.now += 11 * 10**9
    failing(1, read)

    with pytest.raises(throwbar.BreakerOpen):
        read(key="k")
    assert backend.calls == 4


def test_coroutines_are_kept_away_as_well_and_by_a_route(service, perf):
    backend = Backend()

    async def old(*, key):
        return backend()

    async def new(*, key):
        return "new"

    routed = service.orders.route("read", candidate=new, key=lambda *, key: key, breaker=ACTING, retry=NEVER_AGAIN)(old)
    on_this_clock(service, perf)

    failing(3, lambda key: asyncio.run(routed(key=key)))

    with pytest.raises(throwbar.BreakerOpen):
        asyncio.run(routed(key="k"))
    assert backend.calls == 3


def test_expected_exceptions_are_answers_of_a_probe(service, perf):
    backend = Backend()
    error = ConnectionRefusedError
    read = service.operation(lambda: "new", backend, breaker=ACTING, retry=NEVER_AGAIN)
    on_this_clock(service, perf)
    failing(3, read)
    perf.now += 11 * 10**9
    declared = {"breaker": ACTING, "retry": NEVER_AGAIN, "expected": error}
    same = service.operation(lambda: "new", backend, **declared)
    on_this_clock(service, perf)

    failing(5, same)

    assert backend.calls == 8


def test_a_write_that_was_kept_away_was_not_sent_and_is_not_repeated():
    info = classify(throwbar.BreakerOpen("open"))

    assert (info.delivery, info.retryable) == ("not_sent", False)


def test_the_switch_of_the_flag_turns_it_off(service):
    service.serve(0, switches={"breaker": False})
    backend = Backend()
    read = service.operation(lambda: "new", backend, breaker=ACTING, retry=NEVER_AGAIN)

    failing(10, read)

    assert backend.calls == 10


def test_asking_is_a_yes_or_a_no(service):
    with pytest.raises(ConfigurationError, match="baseline is 'yes', neither True nor False"):
        service.orders.operation("other", breaker=throwbar.Breaker(baseline="yes"))
