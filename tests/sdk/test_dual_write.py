"""Writes to two stores, by plain functions, with two dictionaries for stores."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.second_calls import Choices, RememberingHost
from throwbar.circuit import BreakerSettings
from throwbar.deadline import Deadline, remaining
from throwbar.dual import DualWrite
from throwbar.errors import ConfigurationError
from throwbar.second import Manner

NOBODY_KNOWS = (ConnectionResetError, TimeoutError)


class Shop:
    """Two stores, and a dual write between them. `faults` maps a store's name to what its next write raises."""

    def __init__(self, *, reconcile=None, **manner):
        self.stores = {"old": [], "new": []}
        self.faults = {}
        self.host, self.choices = RememberingHost(), Choices()
        self.mended = []
        hook = reconcile or self.mended.append
        functions = (self.writer("old"), self.writer("new"))
        self.dual = DualWrite(
            self.host,
            functions,
            Manner(**{"deadline": 20.0} | manner),
            None if reconcile is False else hook,
            asynchronous=False,
        )
        self.functions = functions

    def writer(self, name):
        def write(order):
            if name in self.faults:
                raise self.faults[name]
            self.stores[name].append(order)
            return f"{name} has it"

        return write

    def sides(self, candidate_first):
        choices = self.choices
        if candidate_first:
            return choices.candidate, choices.shadow_baseline
        return choices.baseline, choices.shadow_candidate

    def write(self, order, *, candidate_first=False, key="k"):
        """What the engine does around the caller's own call."""
        first, second = self.sides(candidate_first)
        write = self.dual.begin(first, second, key, (order,), {})
        try:
            answer = self.functions[first.candidate](order)
        except BaseException as error:
            write.fail(error)
            raise
        write.complete()
        return answer


@pytest.mark.parametrize(("candidate_first", "answer"), [(False, "old has it"), (True, "new has it")])
def test_both_stores_are_written_and_the_authoritative_one_answers(candidate_first, answer):
    shop = Shop()

    assert shop.write("a", candidate_first=candidate_first) == answer
    assert shop.stores == {"old": ["a"], "new": ["a"]}
    assert shop.mended == []


def test_the_authoritative_store_is_written_first():
    shop, order = Shop(), []
    shop.functions = tuple(lambda value, name=name: order.append(name) for name in ("old", "new"))
    for second, function in zip(shop.dual.seconds, shop.functions, strict=True):
        second._function = function

    shop.write("a")
    shop.write("a", candidate_first=True)

    assert order == ["old", "new", "new", "old"]


def test_a_second_half_that_fails_is_a_record_and_no_exception():
    shop = Shop()
    shop.faults["new"] = ConnectionRefusedError()

    assert shop.write({"id": 1}) == "old has it"

    (divergence,) = shop.mended
    assert (divergence.flag, divergence.operation, divergence.key) == ("orders", "read", "k")
    assert (divergence.done_at, divergence.missing_at) == ("old", "new")
    assert (divergence.because, divergence.first_unknown) == ("connection", False)
    assert (divergence.args, divergence.kwargs) == (({"id": 1},), {})
    assert shop.dual.divergences.seen == 1


def test_when_the_first_half_fails_for_certain_the_second_is_not_made_and_nothing_differs():
    shop = Shop()
    shop.faults["old"] = ConnectionRefusedError()

    with pytest.raises(ConnectionRefusedError) as raised:
        shop.write("a")

    assert raised.value is shop.faults["old"]
    assert shop.stores["new"] == []
    assert shop.mended == []


@pytest.mark.parametrize("error", [*NOBODY_KNOWS, KeyboardInterrupt])
def test_when_nobody_knows_of_the_first_half_that_is_a_divergence(error):
    shop = Shop()
    shop.faults["old"] = error()

    with pytest.raises(error):
        shop.write("a")

    assert shop.stores["new"] == []
    assert [(record.done_at, record.first_unknown) for record in shop.mended] == [("old", True)]


class OutOfStock(Exception):
    pass


@pytest.mark.parametrize("expected", [(), (OutOfStock,)])
def test_a_refusal_by_the_authoritative_store_is_no_divergence(expected):
    shop = Shop(expected=expected)
    shop.faults["old"] = OutOfStock()

    with pytest.raises(OutOfStock):
        shop.write("a")

    assert shop.mended == []


def test_a_refusal_by_the_second_store_alone_is_one():
    shop = Shop(expected=(OutOfStock,))
    shop.faults["new"] = OutOfStock()

    shop.write("a")

    assert [record.because for record in shop.mended] == ["expected OutOfStock"]


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([None, ConnectionRefusedError, TimeoutError, OutOfStock]),
            st.sampled_from([None, ConnectionRefusedError, TimeoutError, OutOfStock]),
        ),
        max_size=20,
    )
)
def test_whatever_fails_every_difference_between_the_stores_has_a_record(writes):
    shop = Shop()
    for number, (candidate_first, *faults) in enumerate(writes):
        shop.faults = {name: fault() for name, fault in zip(("old", "new"), faults, strict=True) if fault is not None}
        with suppress(OSError, OutOfStock):
            shop.write(number, candidate_first=candidate_first)

    recorded = {record.args[0] for record in shop.mended}
    assert set(shop.stores["old"]) ^ set(shop.stores["new"]) <= recorded
    assert all(shop.stores[name] == sorted(set(shop.stores[name])) for name in shop.stores)
    assert shop.host.errors == []


def test_the_first_half_may_do_to_its_arguments_what_it_likes():
    shop = Shop()
    shop.functions = (lambda order: order.clear(), shop.functions[1])

    shop.write(["line"])

    assert shop.stores["new"] == [["line"]]


def test_arguments_that_cannot_be_copied_leave_a_record():
    shop = Shop()

    shop.write(value for value in ())

    assert len(shop.stores["old"]) == 1
    assert [record.because for record in shop.mended] == ["the arguments could not be copied"]


def test_a_dead_second_store_costs_the_caller_nothing_after_a_while_and_every_write_is_recorded():
    shop, called = Shop(breaker=BreakerSettings(hard_failures=3)), []

    def refuse(order):
        called.append(order)
        raise ConnectionRefusedError

    shop.dual.seconds[1]._function = refuse

    for number in range(10):
        shop.write(number)

    assert called == [0, 1, 2]
    assert [record.args for record in shop.mended] == [(number,) for number in range(10)]


def test_a_second_half_that_is_interrupted_is_recorded_and_the_host_still_ends():
    shop = Shop()
    shop.faults["new"] = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        shop.write("a")

    assert shop.stores["old"] == ["a"]
    assert [record.because for record in shop.mended] == ["cancelled"]


def test_when_the_fallback_wrote_it_is_the_candidate_that_comes_second():
    shop = Shop()
    first, second = shop.sides(True)
    write = shop.dual.begin(first, second, "k", ("a",), {})
    shop.functions[0]("a")
    shop.faults["new"] = ConnectionRefusedError()

    write.swap(shop.choices.baseline, shop.choices.shadow_candidate)
    write.complete()

    assert shop.stores == {"old": ["a"], "new": []}
    assert [(record.done_at, record.missing_at) for record in shop.mended] == [("old", "new")]


def test_without_a_hook_or_with_a_broken_one_records_are_kept_up_to_a_hundred(caplog):
    def broken(divergence):
        raise RuntimeError("queue full")

    for reconcile in (False, broken):
        shop = Shop(reconcile=reconcile, breaker=BreakerSettings(hard_failures=1_000))
        shop.faults["new"] = ConnectionRefusedError()
        for number in range(150):
            assert shop.write(number) == "old has it"

        assert shop.dual.divergences.fresh() == 150
        assert shop.dual.divergences.fresh() == 0
        assert [record.args[0] for record in shop.dual.divergences.kept()] == list(range(50, 150))
        assert shop.dual.divergences.kept() == []
        assert shop.dual.divergences.fresh_sides() == {"candidate_missing": 150}
    assert len(caplog.records) == 1


def test_what_a_hook_has_mended_is_told_by_side_and_what_it_put_down_for_later_is_not():
    for answer, told in (
        (None, {"candidate_missing": 2, "candidate_reconciled": 2}),
        (False, {"candidate_missing": 2}),
    ):
        shop = Shop(reconcile=lambda _, answer=answer: answer)
        shop.faults["new"] = ConnectionRefusedError()
        shop.write("a")
        shop.write("b")

        assert shop.dual.divergences.fresh_sides() == told
        assert shop.dual.divergences.fresh_sides() == {}


def test_the_second_half_has_time_of_its_own():
    shop, seen = Shop(), []
    shop.dual.seconds[1]._function = lambda order: seen.append(remaining())

    with Deadline(1, 0):
        shop.write("a")

    assert 0 < seen[0] <= 20


def test_a_coroutine_function_cannot_reconcile_for_plain_ones():
    async def mend(divergence):
        """Nobody could await this."""

    with pytest.raises(ConfigurationError, match="coroutine"):
        Shop(reconcile=mend)
