import contextlib
import contextvars
import gc
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar.chance import chance
from throwbar.errors import ConfigurationError
from throwbar.retry import Repeating, RetrySettings, check, longest_pause, next_pause
from throwbar.taxonomy import BY_CATEGORY, Category

SETTINGS = RetrySettings(attempts=10)
TIMEOUT = BY_CATEGORY[Category.TIMEOUT]
RESET = BY_CATEGORY[Category.COMMUNICATION]
THROTTLED = BY_CATEGORY[Category.THROTTLED]


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.05), (2, 0.1), (3, 0.2), (6, 1.6), (7, 2.0), (9, 2.0)])
def test_pauses_lie_below_their_cap_and_fill_it(attempt, longest):
    samples = [next_pause(SETTINGS, TIMEOUT, attempt, None) for _ in range(2_000)]

    assert longest_pause(SETTINGS, attempt) == longest
    assert all(0 <= sample < longest for sample in samples)
    tenths = {int(sample / longest * 10) for sample in samples}
    assert tenths == set(range(10))  # missing one by chance: 10 × 0.9^2000


def test_pauses_are_uniform():
    seeded = random.Random(7)
    samples = sorted(next_pause(SETTINGS, TIMEOUT, 3, None, seeded.random) for _ in range(10_000))

    distances = [abs(sample / 0.2 - (rank + 0.5) / 10_000) for rank, sample in enumerate(samples)]

    assert max(distances) < 0.0163  # Kolmogorov and Smirnov's at 1 %


def test_a_thousand_attempts_do_not_overflow():
    assert longest_pause(RetrySettings(attempts=2_000), 1_999) == 2.0


def test_attempts_count_the_first_one():
    pauses = [next_pause(RetrySettings(), TIMEOUT, attempt, None) for attempt in (1, 2, 3, 4)]

    assert [pause is None for pause in pauses] == [False, False, True, True]


@pytest.mark.parametrize("category", [Category.VALIDATION, Category.APPLICATION, Category.CANCELLED])
def test_what_another_attempt_would_not_change_is_not_retried(category):
    assert next_pause(SETTINGS, BY_CATEGORY[category], 1, None) is None


def test_a_lost_connection_is_tried_again_at_once_and_then_with_a_pause():
    assert next_pause(SETTINGS, RESET, 1, None, lambda: 0.5) == 0.0
    assert next_pause(SETTINGS, RESET, 2, None, lambda: 0.5) == 0.05


@given(
    attempt=st.integers(1, 12),
    remaining=st.floats(0, 5),
    asked=st.none() | st.floats(allow_nan=True),
    drawn=st.floats(0, 1, exclude_max=True),
)
def test_no_pause_ends_after_the_deadline(attempt, remaining, asked, drawn):
    pause = next_pause(SETTINGS, THROTTLED._replace(retry_after=asked), attempt, remaining, lambda: drawn)

    assert pause is None or 0 <= pause < remaining


def test_a_pause_that_would_not_fit_is_not_cut_but_left_out():
    assert next_pause(SETTINGS, TIMEOUT, 6, 1.0, lambda: 0.99) is None
    assert next_pause(SETTINGS, TIMEOUT, 6, 1.0, lambda: 0.5) == 0.8


@pytest.mark.parametrize(("asked", "least", "most"), [(3, 3.0, 3.3), (0, 0.0, 0.0), (3_600, 30.0, 33.0)])
def test_the_backend_may_ask_for_a_pause_of_up_to_thirty_seconds(asked, least, most):
    error = THROTTLED._replace(retry_after=asked)

    pauses = [next_pause(SETTINGS, error, 1, None, lambda drawn=drawn: drawn) for drawn in (0.0, 1.0)]

    assert pauses == pytest.approx([least, most])


def test_a_pause_asked_for_that_does_not_fit_the_deadline_ends_the_attempts():
    assert next_pause(SETTINGS, THROTTLED._replace(retry_after=3), 1, 2.9, lambda: 0.0) is None
    assert next_pause(SETTINGS, THROTTLED._replace(retry_after=2), 1, 2.9, lambda: 0.0) == 2


@pytest.mark.parametrize("nonsense", [-1.0, float("nan")])
def test_a_pause_that_is_none_is_not_heard(nonsense):
    assert next_pause(SETTINGS, THROTTLED._replace(retry_after=nonsense), 1, None, lambda: 0.5) == 0.025


def test_attempts_of_nested_calls_add_up_and_do_not_multiply():
    reached = []

    def backend():
        reached.append(1)
        raise TimeoutError

    def call(function):
        attempt = 0
        while True:
            attempt += 1
            try:
                with Repeating() if attempt > 1 else contextlib.nullcontext():
                    return function()
            except TimeoutError:
                if next_pause(RetrySettings(), TIMEOUT, attempt, None) is None:
                    raise

    with pytest.raises(TimeoutError):
        call(lambda: call(backend))

    assert len(reached) == 3 + 1 + 1
    assert next_pause(SETTINGS, TIMEOUT, 1, None) is not None


def test_a_coroutine_abandoned_inside_a_retry_is_closed_in_silence():
    def waiting():
        with Repeating():
            yield

    generator = waiting()
    contextvars.copy_context().run(next, generator)
    del generator
    gc.collect()


def test_chance_is_uniform_from_zero_up_to_one():
    samples = [chance() for _ in range(2_000)]

    assert all(0 <= sample < 1 for sample in samples)
    assert {int(sample * 10) for sample in samples} == set(range(10))


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"attempts": 2.5}, {"base": -1}, {"cap": float("nan")}])
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        check(RetrySettings(**wrong))
