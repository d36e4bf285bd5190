"""Is it measured before an attempt how often one key is counted, and is it noticed where nothing can be compared?"""

import random

import pytest

from controlplane.domain.arm import Halves
from controlplane.domain.precheck import LEAST_SECONDS, Precheck, precheck, told

HOURS = 6


def split(randomly, keys, copies=1):
    first = sum(randomly.getrandbits(1) for _ in range(keys))
    return copies * first, copies * (keys - first)


def day(randomly, *, fresh=40, bad=4, copies=1, hours=HOURS):
    """Buckets of ten seconds, in each of which every key is counted by some processes."""
    return [
        (start, Halves(*split(randomly, fresh, copies), *split(randomly, bad, copies)))
        for start in range(0, hours * 3600, 10)
    ]


def checked(heard, processes=8):
    return precheck(heard[-LEAST_SECONDS // 10 :], heard, processes)


@pytest.mark.parametrize("seed", range(5))
def test_keys_that_count_once_are_worth_themselves(seed):
    found = checked(day(random.Random(seed)))

    assert found.seconds == HOURS * 3600
    assert 1.0 <= found.design_effect <= 3.5  # six blocks of an hour are few, and the largest counts
    assert not found.alarms


@pytest.mark.parametrize("copies", [2, 5])
def test_keys_that_several_processes_count_are_worth_as_much_less(copies):
    found = checked(day(random.Random(1), copies=copies))

    assert 1.5 * 0.8 * copies <= found.design_effect <= 1.5 * 2.4 * copies
    assert not found.alarms


def test_what_is_counted_again_within_the_hour_is_seen_in_blocks_of_an_hour():
    """The same keys in every bucket: in each bucket alone they look like one toss."""
    randomly = random.Random(2)
    heard = []
    for hour in range(24):
        halves = Halves(*split(randomly, 40), *split(randomly, 4))
        heard += [(hour * 3600 + start, halves) for start in range(0, 3600, 10)]

    assert checked(heard, processes=500).design_effect > 100


def test_no_more_is_put_down_to_counting_twice_than_processes_could_count():
    heard = day(random.Random(6), copies=3)

    assert checked(heard, processes=1).design_effect == 1.5
    assert checked(heard, processes=2).design_effect == 3.0


def test_many_harmless_baselines_raise_no_alarm():
    randomly = random.Random(3)

    found = [checked(day(randomly, fresh=6, bad=1, hours=3)) for _ in range(100)]

    assert sum(each.alarms for each in found) <= 1


def test_halves_that_differ_all_the_time_raise_an_alarm():
    randomly = random.Random(4)
    heard = [
        (start, Halves(*split(randomly, 40), *((9, 1) if start > 3 * 3600 else split(randomly, 1))))
        for start in range(0, 6 * 3600, 10)
    ]

    found = checked(heard)

    assert found.alarms
    assert "something else than chance splits the keys" in told(found, "python_pool_v2")


@pytest.mark.parametrize(
    ("heard", "sentence"),
    [
        ([], "nothing was heard of v2 by key before the attempt, of 2\u202fh needed: 2 failures count as one"),
        (day(random.Random(5), hours=1), "60\u202fmin of calls to v2 by key before the attempt, of 2\u202fh needed: 2"),
        ([(each * 600, Halves(1, 0, 0, 0)) for each in range(20)], "20 keys of v2 before the attempt, too few to"),
    ],
)
def test_with_too_little_to_go_by_two_failures_are_worth_one_and_the_sentence_says_why(heard, sentence):
    found = checked(heard)

    assert (found.design_effect, found.effect) == (None, 2.0)
    assert told(found, "v2").startswith(sentence)


def test_services_that_do_not_tell_halves_are_not_taken_for_ones_that_are_far_apart():
    heard = [(start, Halves()) for start in range(0, 6 * 3600, 10)]

    assert checked(heard) == Precheck()
