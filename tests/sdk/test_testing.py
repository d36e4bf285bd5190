"""Forcing calls to a side, with no server anywhere."""

import asyncio
import threading

import pytest

import throwbar
from throwbar.testing import CandidateForcedDown, ControlPlane, forced

SERVED_BY = {"baseline": "old", "candidate": "new", "fallback": "old", "breaker_open": "old"}


@pytest.fixture
def alone():
    """A client that was told of no control plane."""
    with throwbar.Client(backup_file=False) as client:
        yield client


class Calls:
    """One operation whose functions count their calls."""

    def __init__(self, client, name="read", **declared):
        self.made = []
        self.run = client.migration("orders", baseline="old").operation(name, **declared)
        self.run.baseline(lambda: self._answer("old"))
        self.run.candidate(lambda: self._answer("new"))

    def _answer(self, side):
        self.made.append(side)
        return side


@pytest.mark.parametrize("kind", throwbar.Kind)
@pytest.mark.parametrize(("to", "served_by"), SERVED_BY.items())
def test_a_call_goes_where_it_is_forced_and_only_there(alone, to, served_by, kind):
    calls = Calls(alone, kind=kind)

    with forced(alone, "orders", to=to):
        assert calls.run(key="s1") == served_by

    assert calls.made == [served_by]
    assert calls.run(key="s1") == "old"


@pytest.mark.parametrize(("to", "served_by"), SERVED_BY.items())
def test_coroutine_functions_are_forced_alike(alone, to, served_by):
    read = alone.migration("orders").operation("read", deadline=5.0)

    @read.baseline
    async def _():
        return "old"

    @read.candidate
    async def _():
        return "new"

    with forced(to=to):
        assert asyncio.run(read.acall(key="s1")) == served_by


@pytest.mark.parametrize(("to", "served_by"), SERVED_BY.items())
def test_a_decorated_function_is_forced_without_its_callers_knowing(alone, to, served_by):
    @alone.migration("orders").route("read", candidate=lambda: "new")
    def read():
        return "old"

    with forced(alone, "orders", "read", to=to):
        assert read() == served_by


def test_decisions_and_attempts_are_forced_with_a_reason(alone):
    orders = alone.migration("orders", baseline="old")

    with forced(to="candidate"), orders.attempt("read", key="s1") as attempt:
        assert attempt.candidate
        assert attempt.decision.reason == "override"
    with forced(to="breaker_open"):
        assert orders.decide("read", key="s1") == ("old", False, "circuit_open", 0, "orders", "read")


def test_a_snapshot_does_not_outvote_a_forced_block_nor_does_a_new_one():
    plane = ControlPlane()
    plane.set("orders", baseline="old", candidate="new", read=0)
    with throwbar.Client("http://test", "t", transport=plane, backup_file=False) as client:
        assert client.wait_ready(60)
        calls = Calls(client)

        with forced(client, "orders", to="candidate"):
            before = calls.run(key="s1")
            plane.set("orders", baseline="old", candidate="new", rolled_back=True, read=0)
            assert client.flush()
            after = calls.run(key="s1")

        assert (before, after) == ("new", "new")
        assert client.status().version == 3
        assert calls.run(key="s1") == "old"


def test_only_what_is_named_is_forced(alone):
    named, other = Calls(alone), Calls(alone, "write")

    with throwbar.Client(backup_file=False) as another, forced(alone, "orders", "read", to="candidate"):
        answers = [named.run(key="s1"), other.run(key="s1"), Calls(another).run(key="s1")]

    assert answers == ["new", "old", "old"]


def test_a_client_made_inside_a_block_for_all_obeys_it():
    with forced(to="candidate"), throwbar.Client(backup_file=False) as client:
        assert Calls(client).run(key="s1") == "new"


def test_blocks_nest_and_the_newest_wins(alone):
    calls = Calls(alone)

    with forced(to="candidate"):
        with forced(alone, "orders", to="baseline"):
            inner = calls.run(key="s1")
        outer = calls.run(key="s1")

    assert (inner, outer) == ("old", "new")


def test_blocks_of_several_tasks_may_end_in_any_order(alone):
    calls = Calls(alone)

    async def hold(to, entered, leave):
        with forced(alone, "orders", to=to):
            entered.set()
            await leave.wait()

    async def overlap():
        events = [asyncio.Event() for _ in range(4)]
        first = asyncio.create_task(hold("candidate", events[0], events[1]))
        await events[0].wait()
        second = asyncio.create_task(hold("baseline", events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await first
        during = calls.run(key="s1")
        events[3].set()
        await second
        return during

    assert asyncio.run(overlap()) == "old"
    with forced(to="candidate"):
        assert calls.run(key="s1") == "new"
    assert calls.run(key="s1") == "old"


def test_other_threads_obey_and_blocks_of_many_threads_leave_nothing_behind(alone):
    calls, wrong = Calls(alone), []

    def work(number):
        mine = Calls(alone, f"operation-{number}")
        for round_ in range(50):
            to = "candidate" if round_ % 2 else "baseline"
            with forced(alone, "orders", f"operation-{number}", to=to):
                if mine.run(key="s1") != SERVED_BY[to]:
                    wrong.append((number, round_))

    with forced(alone, "orders", "read", to="candidate"):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        answers = []
        threads.append(threading.Thread(target=lambda: answers.append(calls.run(key="s1"))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert wrong == []
    assert answers == ["new"]
    assert calls.run(key="s1") == "old"


def test_a_forced_fallback_lasts_however_many_calls_are_made(alone):
    calls = Calls(alone)

    with forced(to="fallback"):
        answers = {calls.run(key="s1") for _ in range(500)}

    assert answers == {"old"}
    assert calls.made == ["old"] * 500


def test_where_no_fallback_is_declared_a_forced_one_shows_what_the_caller_would_see(alone):
    calls = Calls(alone, fallback=False)

    with forced(to="fallback"), pytest.raises(CandidateForcedDown):
        calls.run(key="s1")

    assert calls.made == []


def test_failures_of_a_forced_candidate_do_not_open_its_breaker_for_the_next_test():
    plane = ControlPlane()
    plane.set("orders", read=100)
    with throwbar.Client("http://test", "t", transport=plane, backup_file=False) as client:
        assert client.wait_ready(60)
        read = client.migration("orders").operation("read", fallback=False, retry=None)
        down = [True]

        @read.baseline
        def _():
            return "old"

        @read.candidate
        def _():
            if down[0]:
                raise ConnectionRefusedError
            return "new"

        with forced(to="candidate"):
            for _ in range(30):
                with pytest.raises(ConnectionRefusedError):
                    read(key="s1")
        down[0] = False

        assert read(key="s1") == "new"


def test_calls_of_a_forced_fallback_are_reported_as_what_they_would_be():
    plane = ControlPlane()
    plane.set("orders", baseline="old", candidate="new", read=0)
    client = throwbar.Client("http://test", "t", transport=plane, backup_file=False)
    assert client.wait_ready(60)
    calls = Calls(client)

    with forced(client, "orders", to="fallback"):
        calls.run(key="s1")
    client.close(5)

    assert plane.calls("orders", "read", "candidate") == 1
    assert plane.calls("orders", "read", "baseline") == 1
    assert {cell["assigned_by"] for report in plane.reports for cell in report["cells"]} == {"override", "fallback"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"to": "sideways"}, "to is 'sideways', not one of baseline, candidate, fallback, breaker_open"),
        ({"to": "baseline", "operation": "read"}, "operation 'read' is of no flag"),
    ],
)
def test_a_block_that_cannot_be_obeyed_says_why(arguments, sentence):
    with pytest.raises(throwbar.ConfigurationError, match=sentence), forced(**arguments):
        pass


def test_a_control_plane_that_is_down_is_noted_and_calls_go_on():
    plane = ControlPlane()
    plane.set("orders", read=100)
    with throwbar.Client("http://test", "t", transport=plane, backup_file=False) as client:
        assert client.wait_ready(60)
        plane.down = True

        assert not client.flush(5)
        assert "the control plane is down" in client.status().last_error
        assert Calls(client).run(key="s1") == "new"
