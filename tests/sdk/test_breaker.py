import asyncio
import threading

import pytest

from tests.sdk.fake_control_plane import PerfClock
from throwbar.breaker import Breaker, tell
from throwbar.circuit import BreakerSettings, Cause, Mode, State, check
from throwbar.errors import ConfigurationError
from throwbar.taxonomy import BY_CATEGORY, Category

MS = 1_000_000
SECOND = 1_000 * MS
FAST, SLOW = MS, 900 * MS
SETTINGS = BreakerSettings()


class Setting:
    """A breaker on a clock set by hand, without jitter, and everything it told."""

    def __init__(self, settings=SETTINGS, *, deadline=1.0, chance=0.5):
        self.clock = PerfClock()
        self.told = []
        self.breaker = Breaker(
            settings, deadline=deadline, on_transition=self.told.append, clock_ns=self.clock, chance=lambda: chance
        )

    @property
    def state(self):
        return self.breaker.state_document()["state"]

    @property
    def causes(self):
        return [transition.cause for transition in self.told]

    def tick(self, seconds):
        self.clock.now += int(seconds * SECOND)

    def acquire(self):
        return self.breaker.passing or self.breaker.acquire(self.clock.now)

    def succeed(self, times=1, duration=FAST):
        for _ in range(times):
            self.acquire().succeeded(self.clock.now, duration)

    def fail(self, times=1, *, hard=False, duration=FAST):
        for _ in range(times):
            self.acquire().failed(self.clock.now, duration, hard=hard)

    def open(self):
        self.fail(5, hard=True)
        return self

    def half_open(self):
        self.open()
        self.tick(30)
        return self


@pytest.fixture
def setting():
    return Setting()


def test_half_of_twenty_calls_failing_opens(setting):
    setting.succeed(10)
    setting.fail(9)
    assert setting.state == "closed"

    setting.fail()

    assert (setting.state, setting.causes) == ("open", [Cause.FAILURE_RATE])
    assert setting.acquire() is None


def test_fewer_calls_than_the_least_number_open_nothing_however_many_fail(setting):
    setting.fail(19)

    assert setting.state == "closed"


def test_a_rate_below_the_limit_stays_closed(setting):
    for _ in range(100):
        setting.succeed(6)
        setting.fail(4)
        setting.tick(1)

    assert setting.told == []


def test_failures_are_forgotten_when_they_leave_the_window(setting):
    setting.fail(15)
    setting.tick(30)
    setting.fail(15)

    assert setting.state == "closed"
    assert setting.breaker.state_document()["calls"] == 15


def test_failures_of_a_whole_window_add_up(setting):
    for _ in range(10):
        setting.fail(2)
        setting.tick(2.9)

    assert setting.state == "open"


def test_four_of_five_calls_slow_open_even_when_they_succeed(setting):
    setting.succeed(4)
    setting.succeed(15, duration=SLOW)
    assert setting.state == "closed"

    setting.succeed(duration=SLOW)

    assert setting.causes == [Cause.SLOW_RATE]


def test_a_slow_failure_is_slow_too(setting):
    setting.fail(9, duration=SLOW)
    setting.succeed(3)
    setting.succeed(8, duration=SLOW)

    assert setting.causes == [Cause.SLOW_RATE]


def test_a_call_is_slow_from_four_fifths_of_the_deadline_on():
    just_below, at = (Setting(deadline=0.5) for _ in range(2))

    just_below.succeed(40, duration=400 * MS - 1)
    at.succeed(20, duration=400 * MS)

    assert (just_below.state, at.state) == ("closed", "open")


def test_without_a_deadline_a_call_is_slow_from_one_second_on():
    setting = Setting(deadline=None)

    setting.succeed(20, duration=SECOND - 1)
    assert setting.breaker.state_document()["slow_rate"] == 0

    setting.succeed(80, duration=SECOND)
    assert setting.causes == [Cause.SLOW_RATE]


def test_five_hard_failures_in_a_row_open_at_any_volume(setting):
    for _ in range(4):
        setting.fail(hard=True)
        setting.tick(3_600)
    assert setting.state == "closed"

    setting.fail(hard=True)

    assert (setting.state, setting.causes) == ("open", [Cause.HARD_FAILURES])


@pytest.mark.parametrize("between", ["fast success", "slow success", "answer"])
def test_anything_the_backend_says_in_between_breaks_the_row(setting, between):
    for _ in range(4):
        setting.fail(2, hard=True)
        setting.tick(40)
        if between == "answer":
            setting.fail()
        else:
            setting.succeed(duration=FAST if between == "fast success" else SLOW)

    assert setting.state == "closed"


def test_the_open_time_doubles_up_to_a_cap(setting):
    seconds = []
    setting.open()
    for _ in range(7):
        seconds.append(setting.told[-1].open_seconds)
        setting.tick(seconds[-1] - 0.001)
        assert setting.acquire() is None
        setting.tick(0.001)
        setting.fail(5)

    assert seconds == [30, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 24.0), (0.5, 30.0), (0.999999, 36.0)])
def test_the_open_time_is_jittered_by_a_fifth(chance, seconds):
    setting = Setting(chance=chance).open()

    assert setting.told[-1].open_seconds == pytest.approx(seconds, rel=1e-5)


def test_a_short_recovery_does_not_shorten_the_next_open_time_and_a_stable_one_does(setting):
    setting.half_open()
    setting.succeed(5)
    setting.tick(299)
    setting.open()
    assert setting.told[-1].open_seconds == 60

    setting.tick(60)
    setting.succeed(5)
    setting.tick(300)
    setting.open()
    assert setting.told[-1].open_seconds == 30


def test_half_open_is_decided_after_five_results(setting):
    setting.half_open()
    setting.succeed(4)
    assert setting.state == "half_open"

    setting.succeed()

    assert (setting.state, setting.causes[1:]) == ("closed", [Cause.OPEN_TIME_OVER, Cause.PROBES_PASSED])


def test_one_failed_probe_does_not_open_again(setting):
    setting.half_open()
    setting.fail(hard=True)
    setting.fail(hard=True)
    setting.succeed(3)

    assert setting.state == "closed"


def test_half_of_the_probes_failing_opens_again(setting):
    setting.half_open()
    setting.succeed(2)
    setting.fail(3)

    assert (setting.state, setting.causes[-1]) == ("open", Cause.PROBES_FAILED)


def test_probes_that_succeed_slowly_open_again(setting):
    setting.half_open()
    setting.succeed(1)
    setting.succeed(4, duration=SLOW)

    assert setting.state == "open"


def test_a_closed_breaker_starts_with_an_empty_window(setting):
    setting.half_open()
    setting.succeed(5)

    assert setting.breaker.state_document()["calls"] == 0


def test_of_fifty_concurrent_callers_three_reach_a_half_open_backend(setting):
    setting.half_open()
    asked, may_answer = threading.Barrier(50), threading.Event()
    reached, refused = [], []

    def call():
        asked.wait(30)
        permit = setting.acquire()
        (reached if permit else refused).append(permit)
        if len(reached) + len(refused) == 50:
            may_answer.set()
        assert may_answer.wait(30)
        if permit:
            permit.failed(setting.clock.now, FAST, hard=True)

    run_in_threads([call] * 50)

    assert (len(reached), len(refused)) == (3, 47)
    assert setting.state == "half_open"


def test_no_more_probes_are_let_through_than_results_are_needed(setting):
    setting.half_open()
    setting.succeed(4)

    assert setting.acquire() is not None
    assert setting.acquire() is None


def test_the_slot_of_a_killed_probe_is_freed_and_counts_as_a_failure(setting):
    setting.half_open()
    for _ in range(3):
        setting.acquire()
    setting.tick(5.999)
    assert setting.acquire() is None

    setting.tick(0.001)
    setting.succeed(2)

    assert (setting.state, setting.told[-1].failure_rate) == ("open", 0.6)


def test_without_a_deadline_a_killed_probe_is_given_up_with_its_period():
    setting = Setting(deadline=None).half_open()
    setting.acquire()
    setting.succeed()
    setting.tick(30)

    assert setting.acquire() is None
    assert setting.told[-1].failure_rate == 0.5


def test_a_probe_that_comes_back_after_its_lease_is_a_failure_already(setting):
    setting.half_open()
    probes = [setting.acquire() for _ in range(3)]
    setting.tick(6)

    for probe in probes:
        probe.succeeded(setting.clock.now, FAST)
    setting.succeed(2)

    assert (setting.state, setting.told[-1].failure_rate) == ("open", 0.6)


def test_a_cancelled_probe_frees_its_slot_and_says_nothing(setting):
    setting.half_open()
    for _ in range(20):
        setting.acquire().released()
    probes = [setting.acquire() for _ in range(3)]
    assert setting.acquire() is None

    probes[0].released()

    assert setting.acquire() is not None
    assert setting.state == "half_open"


def test_a_cancelled_coroutine_leaves_the_breaker_usable(setting):
    setting.half_open()

    async def call():
        permit = setting.acquire()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            permit.released()
            raise

    async def cancel_three():
        calls = [asyncio.create_task(call()) for _ in range(3)]
        await asyncio.sleep(0)
        for one in calls:
            one.cancel()
        return await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(ended, asyncio.CancelledError) for ended in asyncio.run(cancel_three()))
    setting.succeed(5)
    assert setting.state == "closed"


def test_cancellation_does_not_break_a_row_of_failures(setting):
    setting.fail(4, hard=True)
    setting.acquire().released()
    setting.fail(hard=True)

    assert setting.state == "open"


def test_a_half_open_period_that_finds_nothing_opens_again(setting):
    setting.half_open()
    setting.acquire().released()
    setting.tick(30)

    assert setting.acquire() is None
    assert setting.causes[-1] is Cause.PROBES_FAILED


def test_a_quiet_operation_closes_on_the_few_results_it_has(setting):
    setting.half_open()
    setting.succeed()
    setting.tick(45)

    assert setting.acquire() is setting.breaker.passing
    assert setting.state == "closed"


def test_results_of_an_older_generation_count_nowhere(setting):
    old = [setting.acquire() for _ in range(30)]
    setting.half_open()
    probe = setting.acquire()
    for permit in old[:15]:
        permit.succeeded(setting.clock.now, FAST)
        permit.failed(setting.clock.now, FAST, hard=True)
    assert setting.state == "half_open"

    setting.succeed(4)
    probe.succeeded(setting.clock.now, FAST)
    for permit in (*old, probe):
        permit.failed(setting.clock.now, FAST, hard=True)

    assert (setting.state, setting.breaker.state_document()["calls"]) == ("closed", 0)


def test_a_probe_is_heard_once(setting):
    setting.half_open()
    probe = setting.acquire()

    for _ in range(9):
        probe.failed(setting.clock.now, FAST, hard=True)

    assert setting.state == "half_open"


def test_eight_threads_are_inside_the_backend_at_the_same_time(setting):
    all_inside = threading.Barrier(8)

    def call():
        permit = setting.acquire()
        all_inside.wait(30)  # passes only when the eight calls overlap
        permit.succeeded(setting.clock.now, FAST)

    run_in_threads([call] * 8)

    assert setting.breaker.state_document()["calls"] == 8


def test_successes_of_many_threads_are_counted(setting):
    run_in_threads([lambda: setting.succeed(5_000)] * 8)

    assert setting.breaker.state_document()["calls"] == pytest.approx(40_000, rel=0.01)


def test_a_call_made_by_a_listener_does_not_hang(setting):
    reached = []
    setting.breaker._on_transition = lambda transition: reached.append(setting.breaker.acquire(setting.clock.now))

    setting.open()
    other = threading.Thread(target=lambda: reached.append(setting.state))
    other.start()
    other.join(30)

    assert reached == [None, "open"]


def test_forced_open_refuses_until_told_otherwise(setting):
    setting.breaker.set_mode(Mode.FORCED_OPEN)
    setting.tick(1e6)
    assert setting.acquire() is None

    setting.breaker.set_mode(Mode.AUTOMATIC)

    assert setting.acquire() is not None
    assert [(told.after, told.cause) for told in setting.told] == [
        (State.OPEN, Cause.MODE),
        (State.CLOSED, Cause.MODE),
    ]


def test_forced_closed_lets_everything_through_and_shows_the_rate(setting):
    setting.open()
    setting.breaker.set_mode(Mode.FORCED_CLOSED)
    setting.fail(100, hard=True)

    document = setting.breaker.state_document()
    assert (document["state"], document["mode"], document["failure_rate"]) == ("closed", "forced_closed", 1.0)


def test_metrics_only_lets_everything_through_and_says_when_it_would_have_opened(setting):
    setting.breaker.set_mode(Mode.METRICS_ONLY)
    setting.fail(100, hard=True)
    setting.tick(30)
    setting.fail(100, hard=True)

    held_back = [told for told in setting.told if told.cause is Cause.HARD_FAILURES]
    assert [(told.before, told.after) for told in held_back] == [(State.CLOSED, State.CLOSED)] * 2
    assert setting.breaker.opens == 2


def test_the_same_mode_again_changes_nothing(setting):
    setting.open()
    setting.breaker.set_mode(Mode.AUTOMATIC)

    assert setting.state == "open"


def test_new_settings_hold_at_once_when_closed(setting):
    setting.breaker.set_settings(BreakerSettings(hard_failures=2))
    setting.fail(2, hard=True)

    assert setting.state == "open"


def test_each_change_of_state_is_told_once_and_in_order(setting):
    setting.half_open()
    setting.succeed(5)

    assert [(told.before, told.after, told.generation) for told in setting.told] == [
        (State.CLOSED, State.OPEN, 1),
        (State.OPEN, State.HALF_OPEN, 2),
        (State.HALF_OPEN, State.CLOSED, 3),
    ]


def test_the_document_keeps_the_rates_that_opened_it(setting):
    setting.succeed(10)
    setting.fail(10)
    setting.tick(12)

    assert setting.breaker.state_document() == {
        "state": "open",
        "mode": "automatic",
        "for_seconds": 12.0,
        "failure_rate": 0.5,
        "slow_rate": 0.0,
        "calls": 20,
        "opens": 1,
        "generation": 1,
    }


def test_after_a_fork_a_breaker_starts_closed_and_no_lock_is_held(setting):
    setting.open()
    with setting.breaker._lock:
        setting.breaker.renew()
        run_in_threads([setting.succeed])

    assert setting.breaker.state_document()["calls"] == 1


def test_an_error_is_told_in_the_words_of_the_taxonomy(setting):
    for _ in range(30):
        tell(setting.acquire(), BY_CATEGORY[Category.VALIDATION], 0, FAST)
    tell(setting.acquire(), None, 0, FAST)
    assert setting.breaker.state_document()["calls"] == 1

    for category in (Category.TIMEOUT, Category.CONNECTION) * 3:
        if permit := setting.acquire():
            tell(permit, BY_CATEGORY[category], 0, FAST)
    assert setting.causes == [Cause.HARD_FAILURES]


@pytest.mark.parametrize(
    "wrong", [{"probe_results": 0}, {"min_calls": 1.5}, {"failure_rate": float("nan")}, {"open_jitter": 1.0}]
)
def test_settings_that_could_wedge_a_breaker_are_refused_by_name(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        check(BreakerSettings(**wrong))


def test_the_defaults_are_sound():
    assert check(BreakerSettings()) == BreakerSettings()


def run_in_threads(functions):
    threads = [threading.Thread(target=function, daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
