"""Shadow and A/A calls of plain functions. Nothing here sleeps: events say what is under way."""

import threading
from contextvars import ContextVar

import pytest

from tests.sdk.second_calls import MS, Choices, RememberingHost, pairing_of, serve
from throwbar.circuit import BreakerSettings
from throwbar.comparison import Compare
from throwbar.crew import Crew
from throwbar.deadline import Deadline, remaining
from throwbar.shadow import is_shadow


@pytest.fixture
def host():
    return RememberingHost()


@pytest.fixture
def choices():
    return Choices()


def fail(*args):
    raise ValueError("no such order")


def test_the_caller_gets_the_first_answer_and_the_second_is_compared_and_counted(host, choices):
    pairing = pairing_of(host, lambda number: {"id": number}, lambda number: {"id": number + 1})

    answer = serve(pairing, choices.baseline, choices.shadow_candidate, 7)

    assert answer == {"id": 7}
    assert host.tally.wait_for(1) == ["mismatch"]
    assert host.tally.ended == [("candidate", "shadow", "k", None)]
    assert [path["path"] for path in host.mismatches.take()[0]["paths"]] == ["$.id"]
    assert len(host.tally.ratios) == 1
    assert isinstance(host.tally.ratios[0], int)


def test_when_the_candidate_is_first_the_sides_are_told_the_right_way_round(host, choices):
    pairing = pairing_of(host, lambda: "old", lambda: 2, compare=Compare(show=["$"]))

    serve(pairing, choices.candidate, choices.shadow_baseline)
    host.tally.wait_for(1)

    path = host.mismatches.take()[0]["paths"][0]
    assert (path["baseline"]["value"], path["candidate"]["value"]) == ("old", 2)


def test_an_a_a_pair_calls_the_baseline_twice_and_shows_its_noise(host, choices):
    answers = iter(["10:00:01", "10:00:02"])
    pairing = pairing_of(host, lambda: next(answers), fail)

    serve(pairing, choices.baseline, choices.shadow_baseline)

    assert host.tally.wait_for(1) == ["mismatch"]
    assert host.tally.ended == [("baseline", "shadow", "k", None)]


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [(lambda: 1, lambda: 1, "match"), (lambda: 1, fail, "failed"), (fail, lambda: 1, "failed"), (fail, fail, "match")],
)
def test_every_pair_comes_to_one_result(host, choices, baseline, candidate, expected):
    pairing = pairing_of(host, baseline, candidate)

    try:
        serve(pairing, choices.baseline, choices.shadow_candidate)
    except ValueError:
        assert baseline is fail

    assert host.tally.wait_for(1) == [expected]
    assert (host.tally.ratios[0] is None) == (fail in (baseline, candidate))


def test_both_sides_may_do_to_their_arguments_and_answers_what_they_like(host, choices):
    def take_first(queue):
        queue.pop()
        return queue

    pairing = pairing_of(host, take_first, take_first)
    queue = [1, 2, 3]

    pair = pairing.begin(choices.baseline, choices.shadow_candidate, "k", (queue,), {})
    answer = take_first(queue)
    pair.finish(answer, None, MS)
    answer.clear()  # the caller owns what it got, and does not wait with using it

    assert host.tally.wait_for(1) == ["match"]
    assert queue == []


def test_arguments_are_copied_for_sampled_calls_only(host):
    copied = []
    choices = Choices(shadow_share=0)
    pairing = pairing_of(host, len, len, snapshot=lambda value: copied.append(value) or value)

    serve(pairing, choices.baseline, choices.shadow_candidate, ["a"])
    assert copied == []
    choices = Choices()
    serve(pairing, choices.baseline, choices.shadow_candidate, ["a"])

    assert copied == [["a"]]
    assert host.tally.wait_for(1) == ["match"]


@pytest.mark.parametrize("what", ["argument", "answer"])
def test_what_cannot_be_copied_is_not_compared_but_counted(host, choices, what):
    lock = threading.Lock()
    pairing = pairing_of(host, lambda value: lock if what == "answer" else 1, lambda value: 1)

    serve(pairing, choices.baseline, choices.shadow_candidate, lock if what == "argument" else 1)

    assert host.tally.compared == ["dropped"]
    assert host.errors == []


def test_a_snapshot_of_the_users_own_may_leave_the_connection_where_it_is(host, choices):
    lock = threading.Lock()
    seen = []
    pairing = pairing_of(
        host,
        lambda held, data: 1,
        lambda held, data: seen.append((held is lock, data)) or 1,
        snapshot=lambda value: value,
    )

    serve(pairing, choices.baseline, choices.shadow_candidate, lock, data="x")
    host.tally.wait_for(1)

    assert seen == [(True, "x")]


def test_the_callers_context_goes_along_and_the_callers_deadline_does_not(host, choices):
    tenant = ContextVar("tenant", default="nobody")
    seen = []
    pairing = pairing_of(host, lambda: None, lambda: seen.append((tenant.get(), is_shadow(), remaining())))
    tenant.set("acme")

    with Deadline(1, 0):
        serve(pairing, choices.baseline, choices.shadow_candidate)
    tenant.set("another")
    host.tally.wait_for(1)

    assert seen[0][:2] == ("acme", True)
    assert 0 < seen[0][2] <= 20
    assert not is_shadow()


def test_a_shadow_call_has_no_shadow_of_its_own(host, choices):
    inner = pairing_of(host, lambda: None, lambda: None)
    begun = []
    outer = pairing_of(
        host,
        lambda: None,
        lambda: begun.append(inner.begin(choices.baseline, choices.shadow_candidate, "k", (), {})),
    )

    serve(outer, choices.baseline, choices.shadow_candidate)
    host.tally.wait_for(1)

    assert begun == [None]


def test_a_second_call_that_took_too_long_has_failed_whatever_it_says(host, choices):
    ticking = iter(range(0, 100 * 1_000_000_000, 1_000_000_000))
    host.perf_clock_ns = lambda: next(ticking)
    pairing = pairing_of(host, lambda: 1, lambda: 1, deadline=0.5)

    serve(pairing, choices.baseline, choices.shadow_candidate)

    assert host.tally.wait_for(1) == ["failed"]
    assert host.tally.ended == [("candidate", "shadow", "k", "timeout")]


def test_a_dead_candidate_is_left_alone_by_a_breaker_of_the_shadows_own(host, choices):
    calls = []

    def refuse():
        calls.append(1)
        raise ConnectionRefusedError

    pairing = pairing_of(host, lambda: 1, refuse, breaker=BreakerSettings(hard_failures=3), crew=Crew(threads=1))

    for number in range(10):
        serve(pairing, choices.baseline, choices.shadow_candidate)
        host.tally.wait_for(number + 1)

    assert host.tally.compared == ["failed"] * 3 + ["dropped"] * 7
    assert len(calls) == 3


def test_a_call_that_was_cancelled_has_no_answer_to_compare_with(host, choices):
    pairing = pairing_of(host, lambda: 1, lambda: 1)
    pair = pairing.begin(choices.baseline, choices.shadow_candidate, "k", (), {})

    pair.finish(None, KeyboardInterrupt(), MS)
    serve(pairing, choices.baseline, choices.shadow_candidate)

    assert host.tally.wait_for(1) == ["match"]
