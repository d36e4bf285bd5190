import asyncio
import contextvars
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import PerfClock
from throwbar.deadline import Deadline, DeadlineExceeded, remaining, reserve_ns
from throwbar.errors import ThrowbarError

MS = 1_000_000


class Time(PerfClock):
    def deadline(self, ms, **more):
        return Deadline(ms * MS, self.now, clock_ns=self, **more)

    def tick(self, ms):
        self.now += ms * MS


@pytest.fixture
def time():
    return Time()


def test_outside_of_a_call_there_is_no_deadline():
    assert remaining() is None


def test_the_time_that_is_left_shrinks_to_nothing_and_no_further(time):
    with time.deadline(1_000):
        assert remaining() == 1.0
        time.tick(400)
        assert remaining() == 0.6
        time.tick(700)
        assert remaining() == 0.0
    assert remaining() is None


def test_a_deadline_runs_from_the_start_of_the_call(time):
    started = time.now
    time.tick(100)

    with Deadline(1_000 * MS, started, clock_ns=PerfClock()) as deadline:
        assert deadline.remaining_ns() == 1_000 * MS


@pytest.mark.parametrize(("outer", "inner", "left"), [(1_000, 300, 0.3), (300, 1_000, 0.3)])
def test_of_nested_deadlines_the_nearer_holds(time, outer, inner, left):
    with time.deadline(outer):
        with time.deadline(inner):
            assert remaining() == left
        assert remaining() == outer / 1_000


def test_a_call_inside_an_attempt_does_not_get_the_reserve_of_the_call_around_it(time):
    with time.deadline(1_000, reserving=True), time.deadline(5_000):
        assert remaining() == 0.8


@pytest.mark.parametrize(("limit", "reserve"), [(1_000, 200), (250, 50), (100, 50), (60, 30), (10, 5), (0, 0), (-5, 0)])
def test_a_fifth_is_kept_for_the_fallback_at_least_50_ms_at_most_half(limit, reserve):
    assert reserve_ns(limit * MS) == reserve * MS


def test_the_fallback_gets_all_that_is_left(time):
    with time.deadline(1_000, reserving=True) as deadline:
        assert remaining() == 0.8
        time.tick(900)
        assert remaining() == 0.0

        deadline.release_reserve()

        assert remaining() == 0.1


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans(), st.integers(0, 500)), min_size=1, max_size=6))
def test_no_call_however_deep_outlives_one_around_it(calls):
    time, ends = Time(), []

    def nest(depth):
        if depth == len(calls):
            return
        limit, reserving, ticks = calls[depth]
        ends.append(time.now + limit * MS)
        with time.deadline(limit, reserving=reserving) as deadline:
            time.tick(ticks)
            assert time.now + deadline.remaining_ns() <= min(ends)
            nest(depth + 1)

    nest(0)
    assert remaining() is None


def test_concurrent_coroutines_have_deadlines_of_their_own(time):
    async def call(ms):
        with time.deadline(ms):
            await asyncio.sleep(0)
            return remaining(), await asyncio.to_thread(remaining)

    async def both():
        return await asyncio.gather(call(100), call(200))

    assert asyncio.run(both()) == [(0.1, 0.1), (0.2, 0.2)]


def test_a_coroutine_abandoned_inside_a_call_is_closed_in_silence(time):
    def waiting():
        with time.deadline(100):
            yield

    generator = waiting()
    contextvars.copy_context().run(next, generator)
    del generator
    gc.collect()


def test_the_time_that_has_run_out_is_caught_as_ours_and_as_a_timeout():
    assert issubclass(DeadlineExceeded, ThrowbarError)
    assert issubclass(DeadlineExceeded, TimeoutError)
