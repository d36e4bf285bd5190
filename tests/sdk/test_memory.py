import pytest
from hypothesis import given
from hypothesis import strategies as st

from throwbar import memory as memory_module
from throwbar.harvest import Identity, Sum
from throwbar.memory import Memories, drawn_first
from throwbar.thinning import Thinning

START = 1_790_000_010


def a_sum(keys, bad=(), *, operation="read", side="candidate", attempt=1, start=START, mask=0, tolerance=0):
    identity = Identity("orders", operation, side, "new", attempt, "share", 50_000, start)
    return Sum(identity, len(keys), 0, {}, {}, dict(keys), set(bad), mask, tolerance)


@pytest.fixture
def memories():
    return Memories(Thinning())


def test_a_key_is_bad_once_in_an_attempt(memories):
    assert memories.learn(a_sum({"a": 1, "b": 1}, "ab")).bad_keys == 2
    assert memories.learn(a_sum({"a": 1, "c": 1}, "ac")).bad_keys == 1
    assert memories.learn(a_sum({"a": 1}, "a")).bad_keys == 0


def test_a_new_attempt_remembers_nothing(memories):
    memories.learn(a_sum({"a": 9}, "a"))

    news = memories.learn(a_sum({"a": 5}, "a", attempt=2))

    assert (news.bad_keys, news.rise_from, news.rise_to) == (1, {}, {5: 1})


def test_a_key_that_failed_on_the_baseline_is_not_held_against_the_candidate_it_moves_to(memories):
    memories.learn(a_sum({"a": 9}, "a", side="baseline"))

    news = memories.learn(a_sum({"a": 9, "b": 12}, "ab"))

    assert (news.bad_keys, news.rise_from, news.rise_to) == (1, {}, {12: 1})


def test_a_key_that_moves_to_a_candidate_as_slow_as_tolerated_has_not_become_slower(memories):
    memories.learn(a_sum({"a": 40, "b": 40}, side="baseline"))

    news = memories.learn(a_sum({"a": 42, "b": 43}, tolerance=2))

    assert (news.rise_from, news.rise_to) == ({40: 1}, {41: 1})
    assert news.key_latency == {42: 1, 43: 1}


def test_a_lowered_index_stays_within_the_histogram(memories):
    assert memories.learn(a_sum({"a": -79}, tolerance=8)).rise_to == {-80: 1}


def test_a_key_is_counted_as_new_where_the_share_drew_it_and_not_where_its_call_was_rescued(memories):
    drawn = a_sum({"a": 9}, "a")
    rescue = a_sum({"a": 3}, side="baseline")._replace(identity=drawn.identity._replace(assigned_by="fallback"))
    later = a_sum({"a": 3}, start=START + 10)

    learned = [memories.learn(total) for total in drawn_first([later, rescue, drawn])]

    assert [(news.rise_from, news.rise_to) for news in learned] == [({}, {9: 1}), ({}, {}), ({}, {})]


def test_operations_do_not_share_a_memory(memories):
    memories.learn(a_sum({"a": 1}, "a", operation="write"))

    assert memories.learn(a_sum({"a": 1}, "a")).bad_keys == 1


def test_a_rise_says_where_the_key_was_and_where_it_went(memories):
    memories.learn(a_sum({"a": 24, "b": 30}))

    news = memories.learn(a_sum({"a": 53, "b": 29, "new": 10}))

    assert (news.rise_from, news.rise_to) == ({24: 1}, {53: 1, 10: 1})
    assert news.key_latency == {53: 1, 29: 1, 10: 1}


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(-80, 160)), max_size=8))
def test_rises_add_up_to_each_keys_slowest_call_of_the_attempt(buckets):
    memories = Memories(Thinning())
    balance: dict[int, int] = {}
    slowest: dict[str, int] = {}

    for keys in buckets:
        news = memories.learn(a_sum(keys))
        for index, count in news.rise_to.items():
            balance[index] = balance.get(index, 0) + count
        for index, count in news.rise_from.items():
            balance[index] -= count
        for key, index in keys.items():
            slowest[key] = max(index, slowest.get(key, -100))

    wanted: dict[int, int] = {}
    for index in slowest.values():
        wanted[index] = wanted.get(index, 0) + 1
    assert {index: count for index, count in balance.items() if count} == wanted


def test_a_full_memory_halves_the_keys_of_buckets_to_come_on_both_sides(monkeypatch):
    monkeypatch.setattr(memory_module, "KEYS_PER_MEMORY", 100)
    thinning = Thinning()
    memories = Memories(thinning)
    keys = {f"key-{number}": 1 for number in range(150)}
    strand = a_sum({}).identity.strand
    assert thinning.mask(strand, START) == 0

    memories.learn(a_sum(keys, keys))

    assert thinning.mask(strand, START) == 0
    assert thinning.mask(strand, START + 10) == 1


def test_a_thinned_memory_does_not_take_a_known_key_for_a_new_one(monkeypatch):
    monkeypatch.setattr(memory_module, "KEYS_PER_MEMORY", 100)
    memories = Memories(Thinning())
    keys = {f"key-{number}": 1 for number in range(150)}
    memories.learn(a_sum(keys, keys))
    kept = {key: 1 for key in keys if not hash(key) & 1}

    news = memories.learn(a_sum(kept, kept, start=START + 10, mask=1))

    assert (news.bad_keys, news.rise_to) == (0, {})


def test_a_late_cell_with_all_its_keys_is_held_against_what_is_still_remembered():
    memories = Memories(Thinning())
    keys = {f"key-{number}": 1 for number in range(50)}
    memories.learn(a_sum(keys, keys))
    memories.learn(a_sum({}, start=START + 10, mask=1))

    news = memories.learn(a_sum(keys, keys))

    assert (news.bad_keys, news.rise_to) == (0, {})


def test_the_operation_not_heard_of_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(memory_module, "MEMORIES", 2)
    memories = Memories(Thinning())
    for name in ("one", "two", "one", "three"):
        memories.learn(a_sum({"a": 1}, "a", operation=name))

    assert memories.learn(a_sum({"a": 1}, "a", operation="one")).bad_keys == 0
    assert memories.learn(a_sum({"a": 1}, "a", operation="two")).bad_keys == 1
