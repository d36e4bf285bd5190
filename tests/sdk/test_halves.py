import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.test_memory import a_sum
from throwbar.decision import bucket
from throwbar.halves import in_first_half
from throwbar.memory import Memories
from throwbar.thinning import Thinning

KEYS = [f"user-{number}" for number in range(20_000)]


def test_every_process_puts_a_key_into_the_same_half():
    keys = ("a", "b", "c", "ключ", "\ud800")

    assert [in_first_half("dspex-bridge", key) for key in keys] == [True, True, False, False, True]


@pytest.mark.parametrize("share", [1_000, 10_000, 50_000])
def test_half_of_the_cohort_of_any_share_and_half_of_the_others_are_in_the_first_half(share):
    drawn = [key for key in KEYS if bucket("dspex-bridge", key) < share]
    left = [key for key in KEYS if bucket("dspex-bridge", key) >= share]

    for keys in (drawn, left):
        first = sum(in_first_half("dspex-bridge", key) for key in keys)
        assert abs(first - len(keys) / 2) < 4 * (len(keys) / 4) ** 0.5


@given(st.lists(st.sets(st.integers(0, 60)), max_size=6))
def test_halves_add_up_to_the_keys_that_came_and_that_failed_first(buckets):
    memories, seen, failed = Memories(Thinning()), set(), set()
    for keys in buckets:
        names = {f"k{key}": 10 for key in keys}
        bad = {f"k{key}" for key in keys if key % 3 == 0}

        news = memories.learn(a_sum(names, bad, side="baseline"))

        assert sum(news.fresh_halves) == len(names.keys() - seen)
        assert sum(news.bad_halves) == news.bad_keys == len(bad - failed)
        seen |= names.keys()
        failed |= bad


def test_the_candidates_keys_are_not_halved():
    news = Memories(Thinning()).learn(a_sum({"a": 1, "b": 1}, "a"))

    assert (news.fresh_halves, news.bad_halves, news.bad_keys) == ((0, 0), (0, 0), 1)
