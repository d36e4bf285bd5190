"""Shadow and A/A calls of plain functions. Nothing here sleeps: events say what is under way."""

import gc
import threading
import weakref
from contextvars import ContextVar

import pytest

from tests.sdk.second_calls import Choices, RememberingHost
from throwbar.circuit import BreakerSettings
from throwbar.comparison import Compare
from throwbar.crew import Crew
from throwbar.deadline import Deadline, remaining
from throwbar.pairing import Pairing
from throwbar.second import Manner
from throwbar.shadow import is_shadow

MS = 1_000_000


@pytest.fixture
def host():
    return RememberingHost()


@pytest.fixture
def choices():
    return Choices()


def pairing_of(host, baseline, candidate, crew=None, **manner):
    manner.setdefault("deadline", 20.0)
    return Pairing(host, (baseline, candidate), Manner(**manner), asynchronous=False, crew=crew or Crew())


def serve(pairing, first, second, *args, key="k", **kwargs):
    """What the engine does around the caller's own call."""
    pair = pairing.begin(first, second, key, args, kwargs)
    function = pairing.functions[first.candidate]
    try:
        value = function(*args, **kwargs)
    except BaseException as error:
        if pair is not None:
            pair.finish(None, error, MS)
        raise
    if pair is not None:
        pair.finish(value, None, MS)
    return value


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


def test_what_comes_when_the_queue_is_full_is_dropped_and_counted_and_what_was_there_is_done(host, choices):
    release, busy = threading.Event(), threading.Semaphore(0)
    done = []

    def candidate(number):
        busy.release()
        release.wait(20)
        done.append(number)

    pairing = pairing_of(host, lambda number: None, candidate, crew=Crew(threads=2, room=100))

    for number in range(2):
        serve(pairing, choices.baseline, choices.shadow_candidate, number)
    assert all(busy.acquire(timeout=20) for _ in range(2))
    for number in range(2, 202):
        serve(pairing, choices.baseline, choices.shadow_candidate, number)
    dropped_while_hanging = host.tally.compared.count("dropped")
    release.set()

    assert host.tally.wait_for(202).count("match") == 102
    assert dropped_while_hanging == 100
    assert sorted(done) == list(range(102))


def test_a_candidate_that_hangs_holds_no_caller_up(host, choices):
    release, started = threading.Event(), threading.Event()
    pairing = pairing_of(host, lambda: "old", lambda: started.set() or (release.wait(20) and "old"))

    answers = [serve(pairing, choices.baseline, choices.shadow_candidate) for _ in range(50)]
    came_back_while_it_hung = started.wait(20) and not release.is_set()
    release.set()

    assert came_back_while_it_hung
    assert answers == ["old"] * 50
    assert host.tally.wait_for(50) == ["match"] * 50


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


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_candidate_that_exits_ends_neither_the_thread_nor_the_host(host, choices, error):
    def leave(really):
        if really:
            raise error
        return 1

    pairing = pairing_of(host, lambda really: 1, leave, crew=Crew(threads=1))

    serve(pairing, choices.baseline, choices.shadow_candidate, True)
    serve(pairing, choices.baseline, choices.shadow_candidate, False)

    assert host.tally.wait_for(2) == ["failed", "match"]


def test_a_call_that_was_cancelled_has_no_answer_to_compare_with(host, choices):
    pairing = pairing_of(host, lambda: 1, lambda: 1)
    pair = pairing.begin(choices.baseline, choices.shadow_candidate, "k", (), {})

    pair.finish(None, KeyboardInterrupt(), MS)
    serve(pairing, choices.baseline, choices.shadow_candidate)

    assert host.tally.wait_for(1) == ["match"]


def test_nothing_is_called_twice_once_the_client_is_closed(host, choices):
    release, started, calls = threading.Event(), threading.Event(), []

    def candidate(number):
        calls.append(number)
        started.set()
        release.wait(20)

    crew = Crew(threads=1)
    pairing = pairing_of(host, lambda number: None, candidate, crew=crew)
    serve(pairing, choices.baseline, choices.shadow_candidate, 0)
    serve(pairing, choices.baseline, choices.shadow_candidate, 1)
    assert started.wait(20)

    host.counting = False
    serve(pairing, choices.baseline, choices.shadow_candidate, 2)
    release.set()
    last = threading.Event()
    crew.offer(last.set)

    assert last.wait(20)
    assert calls == [0]


def test_a_crew_that_is_closed_takes_nothing_and_skips_what_waits():
    crew, release, started, done = Crew(threads=1), threading.Event(), threading.Event(), []

    def hold():
        started.set()
        release.wait(20)
        done.append("held")

    crew.offer(hold)
    crew.offer(lambda: done.append("waiting"))
    assert started.wait(20)
    crew.close()

    assert not crew.offer(lambda: done.append("late"))
    release.set()
    assert _becomes(lambda: len(crew._room) == 100)
    assert done == ["held"]


def test_a_bug_of_ours_is_noted_and_ends_no_thread(host, choices):
    pairing = pairing_of(host, lambda: 1, lambda: 1, crew=Crew(threads=1))
    compare, host.tally.compare = host.tally.compare, None

    serve(pairing, choices.baseline, choices.shadow_candidate)
    done = threading.Event()
    pairing.crew.offer(done.set)
    assert done.wait(20)
    host.tally.compare = compare
    serve(pairing, choices.baseline, choices.shadow_candidate)

    assert host.tally.wait_for(1) == ["match"]
    assert [type(error) for error in host.errors] == [TypeError]


def test_what_was_compared_is_let_go(host, choices):
    class Answer:
        pass

    kept = []

    def candidate():
        answer = Answer()
        kept.append(weakref.ref(answer))
        return answer

    crew = Crew(threads=1)
    pairing = pairing_of(host, Answer, candidate, crew=crew)
    serve(pairing, choices.baseline, choices.shadow_candidate)
    host.tally.wait_for(1)
    done = threading.Event()
    crew.offer(done.set)
    assert done.wait(20)
    gc.collect()

    assert kept[0]() is None


def test_where_no_thread_can_be_had_the_calls_go_on_without_comparison(host, choices, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    pairing = pairing_of(host, lambda: 1, lambda: 1)

    assert serve(pairing, choices.baseline, choices.shadow_candidate) == 1
    assert host.tally.compared == ["dropped"]
    monkeypatch.undo()
    serve(pairing, choices.baseline, choices.shadow_candidate)

    assert host.tally.wait_for(2) == ["dropped", "match"]


def _becomes(condition):
    """Whether it does, within a time that only a defect needs."""
    pause = threading.Event()
    for _ in range(20_000):
        if condition():
            return True
        pause.wait(0.001)
    return False
