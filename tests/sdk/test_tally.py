import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.fake_control_plane import Clock, PerfClock, a_flag
from throwbar import cell as cell_module
from throwbar import tally as tally_module
from throwbar.harvest import settle, settle_all, take_dropped
from throwbar.plan import FlagPlan
from throwbar.tally import Tally

PLAN = FlagPlan("orders", a_flag(), {}).plan("read")
OLD, NEW = PLAN.by_share_baseline, PLAN.by_share_candidate
DEADLINE = 10.0
MS = 1_000_000


class Setting:
    """A tally on clocks set by hand."""

    def __init__(self):
        self.clock = Clock()
        self.perf = PerfClock()
        self.tally = Tally(self.clock, self.perf)

    def call(self, choice=NEW, key="k", ms=1, error=None):
        token = self.tally.begin(choice, key)
        self.perf.now += ms * MS
        self.tally.end(token, error)

    def settle(self):
        return settle(self.tally, self.clock(), DEADLINE)


@pytest.fixture
def setting():
    return Setting()


def test_a_cell_is_not_reported_while_its_bucket_runs(setting):
    setting.call()
    setting.clock.tick(9.9)

    assert setting.settle() == []


def test_a_cell_is_reported_once_when_its_bucket_is_over(setting):
    setting.call(key="a", ms=8)
    setting.call(key="a", ms=64, error="timeout")
    setting.call(key=None)
    setting.clock.tick(10)

    (total,) = setting.settle()

    assert (total.calls, total.pending, total.errors) == (3, 0, {"timeout": 1})
    assert total.latency == {23: 1, 47: 1, -1: 1}
    assert (total.keys, total.bad) == ({"a": 47}, {"a"})
    assert total.identity.start == 1_790_000_010
    assert setting.settle() == []


def test_calls_count_in_the_bucket_in_which_they_started(setting):
    setting.clock.tick(9)
    token = setting.tally.begin(NEW, "k")
    setting.clock.tick(2)
    setting.tally.end(token, None)
    setting.call()
    setting.clock.tick(9)

    assert [total.identity.start for total in setting.settle()] == [1_790_000_010, 1_790_000_020]


def test_a_cell_waits_for_its_calls_until_the_outcome_deadline(setting):
    token = setting.tally.begin(NEW, "k")
    setting.clock.tick(19.9)
    assert setting.settle() == []

    setting.perf.now += 512 * MS
    setting.clock.tick(0.1)
    (total,) = setting.settle()

    assert (total.calls, total.pending, total.bad, total.keys) == (1, 1, {"k"}, {"k": 71})
    assert total.latency == {71: 1}
    setting.tally.end(token, None)
    setting.clock.tick(60)
    assert setting.settle() == []


def test_a_call_that_comes_back_before_the_deadline_is_no_pending_one(setting):
    token = setting.tally.begin(NEW, "k")
    setting.clock.tick(15)
    assert setting.settle() == []

    setting.tally.end(token, None)

    assert [(total.calls, total.pending) for total in setting.settle()] == [(1, 0)]


def test_sides_are_counted_apart(setting):
    setting.call(OLD)
    setting.call(NEW)
    setting.clock.tick(10)

    assert sorted((total.identity.side, total.identity.backend) for total in setting.settle()) == [
        ("baseline", "old"),
        ("candidate", "new"),
    ]


def test_a_cancelled_call_counts_as_a_call_and_says_nothing_about_its_key(setting):
    setting.call(error="cancelled")
    setting.clock.tick(10)

    (total,) = setting.settle()

    assert (total.calls, total.errors, total.keys, total.bad) == (1, {"cancelled": 1}, {}, set())


def test_a_key_that_two_threads_saw_is_one_key(setting):
    setting.call(key="a", ms=1)
    other = threading.Thread(target=setting.call, kwargs={"key": "a", "ms": 64})
    other.start()
    other.join()
    setting.clock.tick(10)

    (total,) = setting.settle()

    assert (total.calls, total.keys) == (2, {"a": 47})


def test_a_call_may_end_in_another_thread_than_it_started_in(setting):
    token = setting.tally.begin(NEW, "k")
    setting.perf.now += 8 * MS
    other = threading.Thread(target=setting.tally.end, args=(token, "application"))
    other.start()
    other.join()
    setting.clock.tick(10)

    (total,) = setting.settle()

    assert (total.calls, total.errors, total.latency, total.bad) == (1, {"application": 1}, {23: 1}, {"k"})


def test_a_thread_that_ended_leaves_its_counts_and_nothing_else(setting):
    other = threading.Thread(target=setting.call)
    other.start()
    other.join()
    setting.clock.tick(10)

    assert len(setting.settle()) == 1
    assert setting.tally.threads == []


def test_a_clock_that_is_set_back_loses_no_call(setting):
    setting.call()
    setting.clock.tick(-3600)

    assert sum(total.calls for total in setting.settle()) == 1


def test_a_sealed_cell_takes_no_further_call(setting):
    setting.call()
    setting.clock.tick(10)
    setting.settle()
    setting.clock.tick(-5)
    setting.call()
    setting.clock.tick(5)

    assert [total.calls for total in setting.settle()] == [1]


def test_what_finds_no_room_is_counted(setting, monkeypatch):
    monkeypatch.setattr(cell_module, "CELLS_PER_THREAD", 1)
    setting.call(OLD)

    assert setting.tally.begin(NEW, "k") is None
    assert setting.tally.begin(NEW, "k") is None
    assert take_dropped(setting.tally) == 2
    assert take_dropped(setting.tally) == 0


def test_too_many_keys_are_thinned_alike_on_both_sides(setting, monkeypatch):
    monkeypatch.setattr(tally_module, "KEYS_PER_CELL", 64)
    keys = [f"key-{number}" for number in range(500)]
    for key in keys:
        setting.call(OLD, key, error="application")
    for key in keys[:40]:
        setting.call(NEW, key)
    setting.clock.tick(10)

    old, new = setting.settle()

    assert (old.calls, new.calls) == (500, 40)
    assert 0 < len(old.keys) < 128
    assert old.mask == new.mask > 0
    assert set(new.keys) == set(old.keys) & set(keys[:40])
    assert old.bad == set(old.keys)


def test_at_the_end_everything_is_taken_but_calls_that_never_came_back(setting):
    setting.call()
    token = setting.tally.begin(NEW, "k")

    sums, unfinished = settle_all(setting.tally)

    assert ([total.calls for total in sums], unfinished) == ([1], 1)
    setting.tally.end(token, None)


class Interrupted(str):
    """A result of a comparison, whose counting is interrupted for as long as it takes to do something else."""

    __slots__ = ("meanwhile",)

    def __new__(cls, text, meanwhile):
        result = super().__new__(cls, text)
        result.meanwhile = meanwhile
        return result

    def __hash__(self):
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().__hash__()


def test_a_comparison_that_is_being_counted_for_long_is_no_call_that_hangs(setting):
    sums = []

    def meanwhile():
        setting.clock.tick(60)
        sums.extend(setting.settle())

    setting.call()
    setting.tally.compare(NEW, Interrupted("match", meanwhile), 0)
    sums += setting.settle()

    assert [(total.calls, total.pending, dict(total.shadow), dict(total.ratio)) for total in sums] == [
        (1, 0, {"match": 1}, {0: 1})
    ]


def test_nor_is_it_an_unfinished_one_at_the_end(setting):
    ended = []

    setting.tally.compare(NEW, Interrupted("match", lambda: ended.append(settle_all(setting.tally))))

    assert ended[0] == ([], 0)


OUTCOMES = st.sampled_from([None, "timeout", "communication", "cancelled", "never"])


@given(st.lists(st.tuples(st.sampled_from([OLD, NEW]), st.sampled_from("abc"), OUTCOMES, st.integers(0, 25))))
def test_every_call_is_in_exactly_one_cell(calls):
    setting = Setting()
    sums = []
    for choice, key, outcome, seconds in calls:
        token = setting.tally.begin(choice, key)
        if outcome != "never":
            setting.tally.end(token, outcome)
        setting.clock.tick(seconds)
        sums += setting.settle()
    setting.clock.tick(30)
    sums += setting.settle()

    assert sum(total.calls for total in sums) == len(calls)
    assert sum(total.pending for total in sums) == sum(outcome == "never" for _, _, outcome, _ in calls)
    for total in sums:
        assert sum(total.latency.values()) == total.calls >= total.pending + sum(total.errors.values())
        assert total.bad <= set(total.keys)
    identities = [total.identity for total in sums]
    assert len(identities) == len(set(identities))


def test_eight_threads_lose_no_observation_while_cells_are_taken():
    clock = Clock()
    tally = Tally(clock)
    each, patience = 20_000, 1e9  # the clock flies here, so that no call may be given up
    sums = []

    def work(number):
        for turn in range(each):
            token = tally.begin(OLD if turn % 3 else NEW, f"{number}-{turn % 50}")
            tally.end(token, "application" if turn % 7 == 0 else None)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.tick(1)
        sums += settle(tally, clock(), patience)
    clock.tick(30)
    sums += settle(tally, clock(), patience)

    assert sum(total.calls for total in sums) == 8 * each
    assert sum(total.errors.get("application", 0) for total in sums) == 8 * len(range(0, each, 7))
    assert sum(total.pending for total in sums) == 0
    assert sum(sum(total.latency.values()) for total in sums) == 8 * each
    assert take_dropped(tally) == 0
