"""The threads that make second calls: full, hanging, exiting, closing, missing. Nothing here sleeps."""

import gc
import threading
import weakref

import pytest

from tests.sdk.second_calls import Choices, RememberingHost, pairing_of, serve
from throwbar.crew import Crew


@pytest.fixture
def host():
    return RememberingHost()


@pytest.fixture
def choices():
    return Choices()


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


def test_what_will_be_dropped_is_not_copied(host, choices):
    release, copied = threading.Event(), []
    pairing = pairing_of(
        host,
        len,
        lambda value: release.wait(20),
        snapshot=lambda value: copied.append(1) or value,
        crew=Crew(1, room=1),
    )

    for _ in range(50):
        serve(pairing, choices.baseline, choices.shadow_candidate, ["a"])
    release.set()

    assert len(host.tally.wait_for(50)) == 50
    assert len(copied) == 50 - host.tally.compared.count("dropped") <= 2


def test_a_candidate_that_hangs_holds_no_caller_up(host, choices):
    release, started = threading.Event(), threading.Event()
    pairing = pairing_of(host, lambda: "old", lambda: started.set() or (release.wait(20) and "old"))

    answers = [serve(pairing, choices.baseline, choices.shadow_candidate) for _ in range(50)]
    came_back_while_it_hung = started.wait(20) and not release.is_set()
    release.set()

    assert came_back_while_it_hung
    assert answers == ["old"] * 50
    assert host.tally.wait_for(50) == ["match"] * 50


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
