import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading

import pytest

from tests.sdk.fake_control_plane import Clock
from throwbar.adapting import ArgumentsNotAdapted, ResultNotAdapted
from throwbar.backends import Backend, InitializationFailed
from throwbar.deadline import Deadline
from throwbar.delivery import Fate, course, fate_of
from throwbar.errors import ConfigurationError
from throwbar.evidence import classify
from throwbar.kinds import Kind
from throwbar.taxonomy import Category, Delivery

FIFTY = 50

FORK = """
import os
from throwbar.backends import Backend

class Pool:
    def __init__(self): self.home = os.getpid()
    def __del__(self):
        if self.home != os.getpid(): os.write(1, b"the child said goodbye for its parent")

backend = Backend(Pool)
backend.get()
with backend._lock:
    child = os.fork()
    if child == 0:
        pool = backend.get()
        backend.close()
        os._exit(0 if pool.home == os.getpid() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Pool:
    def __init__(self):
        self.closed = 0

    def predict(self, text):
        return text.upper()

    def close(self):
        self.closed += 1


class Factory:
    """Makes pools, after the given failures."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return Pool()

    async def a(self):
        await asyncio.sleep(0)
        return self()


def in_threads(number, target):
    outcomes, barrier = [], threading.Barrier(number)

    def call():
        barrier.wait(20)
        try:
            outcomes.append(target())
        except Exception as error:  # noqa: BLE001 - it is looked at below
            outcomes.append(error)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_row_10_a_factory_runs_once_under_fifty_concurrent_first_calls():
    entered, leave = threading.Event(), threading.Event()
    factory = Factory()

    def slow():
        entered.set()
        assert leave.wait(20)
        return factory()

    backend = Backend(slow)
    opener = threading.Thread(target=lambda: (entered.wait(20), leave.set()))
    opener.start()
    outcomes = in_threads(FIFTY, backend.get)
    opener.join(20)

    assert factory.calls == 1
    assert len(outcomes) == FIFTY
    assert {type(outcome) for outcome in outcomes} == {Pool}
    assert len(set(map(id, outcomes))) == 1


@pytest.mark.parametrize("colour", ["plain", "coroutine"])
def test_row_10_a_factory_runs_once_under_fifty_concurrent_first_coroutines(colour):
    factory = Factory()
    backend = Backend(factory if colour == "plain" else factory.a)

    async def main():
        return await asyncio.gather(*(backend.aget() for _ in range(FIFTY)))

    outcomes = asyncio.run(main())

    assert factory.calls == 1
    assert len(outcomes) == FIFTY
    assert len(set(map(id, outcomes))) == 1


@pytest.mark.parametrize("colour", ["thread", "plain", "coroutine"])
def test_row_10_a_failing_start_is_one_failure_for_all_who_waited_and_nothing_was_sent(colour):
    factory = Factory(OSError("no such interpreter"))
    backend = Backend(factory.a if colour == "coroutine" else factory, clock=Clock(0))

    async def main():
        return await asyncio.gather(*(backend.aget() for _ in range(FIFTY)), return_exceptions=True)

    outcomes = in_threads(FIFTY, backend.get) if colour == "thread" else asyncio.run(main())
    info = classify(outcomes[0])

    assert factory.calls == 1
    assert {type(outcome) for outcome in outcomes} == {InitializationFailed}
    assert (info.category, info.delivery) == (Category.INITIALIZATION, Delivery.NOT_SENT)
    assert all(course(kind, fate_of(info)).fall_back for kind in Kind)
    assert any("no such interpreter" in repr(outcome.__cause__) for outcome in outcomes)


def test_after_a_failure_the_factory_rests_for_longer_and_longer():
    clock = Clock(0)
    factory = Factory(*(OSError(str(number)) for number in range(100)))
    backend = Backend(factory, clock=clock, chance=lambda: 1.0)

    tries = []
    for second in range(200):
        with pytest.raises(InitializationFailed):
            backend.get()
        if factory.calls > len(tries):
            tries.append(second)
        clock.tick(1)

    assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_once_it_works_the_failures_before_are_forgotten():
    clock = Clock(0)
    backend = Backend(Factory(OSError(), OSError()), clock=clock, chance=lambda: 1.0)
    for seconds in (1, 2):
        with pytest.raises(InitializationFailed):
            backend.get()
        clock.tick(seconds)

    assert backend.made is False
    assert isinstance(backend.get(), Pool)
    assert backend.made is True


def test_whoever_waits_for_a_start_waits_no_longer_than_his_deadline():
    leave, entered = threading.Event(), threading.Event()
    backend = Backend(lambda: (entered.set(), leave.wait(20), Pool())[2])
    maker = threading.Thread(target=backend.get, daemon=True)
    maker.start()
    assert entered.wait(20)

    with Deadline(10_000_000, 0, clock_ns=lambda: 0), pytest.raises(InitializationFailed, match="not ready yet"):
        backend.get()
    leave.set()
    maker.join(20)

    assert isinstance(backend.get(), Pool)


def test_a_caller_that_is_cancelled_does_not_cancel_the_start():
    calls = []

    async def main():
        leave = asyncio.Event()

        async def factory():
            calls.append(1)
            await leave.wait()
            return Pool()

        backend = Backend(factory)
        impatient = asyncio.create_task(backend.aget())
        patient = asyncio.create_task(backend.aget())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.sleep(0)
        leave.set()
        return await patient, impatient.cancelled()

    pool, cancelled = asyncio.run(main())

    assert isinstance(pool, Pool)
    assert cancelled
    assert calls == [1]


def test_a_start_that_fails_after_everybody_left_leaves_no_complaint(caplog):
    async def main():
        backend = Backend(Factory(OSError()).a)
        alone = asyncio.create_task(backend.aget())
        await asyncio.sleep(0)
        alone.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert backend._task.done()
        del backend, alone
        gc.collect()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())

    assert [record.message for record in caplog.records if "never retrieved" in record.message] == []


def test_a_factory_that_asks_for_its_own_backend_is_told_so():
    backends = []

    def asking():
        return backends[0].get()

    async def awaiting():
        return await backends[1].aget()

    backends += [Backend(asking), Backend(awaiting)]

    for attempt in (backends[0].get, lambda: asyncio.run(backends[1].aget())):
        with pytest.raises(InitializationFailed, match="asks for the backend that it is to make"):
            attempt()


def test_an_interrupted_start_is_no_failure_and_the_next_call_tries_again():
    factory = Factory(KeyboardInterrupt())
    backend = Backend(factory, clock=Clock(0))

    with pytest.raises(KeyboardInterrupt):
        backend.get()

    assert isinstance(backend.get(), Pool)


@pytest.mark.parametrize("colour", ["plain", "coroutine"])
def test_what_is_not_healthy_is_ended_and_never_served(colour):
    seen = []

    def healthy(pool):
        seen.append(pool)
        return False

    async def ahealthy(pool):
        return healthy(pool)

    if colour == "plain":
        with pytest.raises(InitializationFailed, match="not healthy"):
            Backend(Factory(), health=healthy).get()
    else:
        with pytest.raises(InitializationFailed, match="not healthy"):
            asyncio.run(Backend(Factory(), health=ahealthy).aget())

    assert [pool.closed for pool in seen] == [1]


def test_a_broken_object_is_replaced_once_however_many_complain():
    factory = Factory()
    backend = Backend(factory)
    broken = backend.get()

    backend.discard(broken)
    fresh = backend.get()
    backend.discard(broken)

    assert backend.get() is fresh is not broken
    assert factory.calls == 2


def test_closing_ends_the_object_once_and_a_later_call_makes_another():
    backend = Backend(Factory())
    backend.close()
    pool = backend.get()

    backend.close()
    backend.close()

    assert pool.closed == 1
    assert backend.get() is not pool


def test_the_closing_function_that_was_given_is_the_one_that_is_called():
    ended = []
    backend = Backend(Factory(), close=ended.append)
    pool = backend.get()

    backend.close()

    assert (ended, pool.closed) == ([pool], 0)


def test_what_closing_raises_is_logged_and_goes_no_further(caplog):
    def refuse(pool):
        raise OSError("busy")

    backend = Backend(Factory(), close=refuse)
    backend.get()

    with caplog.at_level(logging.WARNING, "throwbar"):
        backend.close()

    assert [record.exc_info[1].args for record in caplog.records] == [("busy",)]


def test_objects_that_are_awaited_are_closed_by_awaiting():
    ended = []

    class Session:
        async def aclose(self):
            ended.append("aclose")

        def close(self):
            ended.append("close")

    async def make():
        return Session()

    async def main():
        backend = Backend(make)
        await backend.aget()
        backend.close()
        assert backend.made
        await backend.aclose()
        assert not backend.made

    asyncio.run(main())

    assert ended == ["aclose"]


def test_row_11_calls_in_the_baselines_words_reach_the_candidate_translated():
    seen = []

    class Snakepit:
        def execute(self, command, arguments):
            seen.append((command, arguments))
            return {"result": arguments["text"].upper()}

    def translate(text, *, session=None):
        return ("predict",), {"arguments": {"text": text, "session_id": session}}

    backend = Backend(Snakepit, adapt_args=translate, adapt_result=lambda reply: reply["result"])

    @backend.calling
    def predict(snakepit, command, arguments):
        return snakepit.execute(command, arguments)

    assert predict("hello", session="s1") == "HELLO"
    assert seen == [("predict", {"text": "hello", "session_id": "s1"})]


def test_row_11_and_so_do_those_of_coroutines():
    async def make():
        return Pool()

    backend = Backend(make, adapt_args=lambda text: ((text + "!",), {}), adapt_result=lambda text: [text])

    @backend.calling
    async def predict(pool, text):
        return pool.predict(text)

    assert asyncio.run(predict("hello")) == ["HELLO!"]


def test_arguments_that_cannot_be_translated_prove_that_nothing_was_sent():
    seen = []
    predict = Backend(Pool, adapt_args=lambda text: text.no_such_thing).calling(lambda pool, text: seen.append(text))

    with pytest.raises(ArgumentsNotAdapted) as raised:
        predict("hello")
    fate = fate_of(classify(raised.value))

    assert isinstance(raised.value.__cause__, AttributeError)
    assert (seen, fate) == ([], Fate.NOT_SENT)


def test_a_result_that_cannot_be_translated_does_not_undo_the_work():
    predict = Backend(Pool, adapt_result=lambda text: text["result"]).calling(lambda pool, text: pool.predict(text))

    with pytest.raises(ResultNotAdapted) as raised:
        predict("hello")
    fate = fate_of(classify(raised.value))

    assert isinstance(raised.value.__cause__, TypeError)
    assert fate is Fate.APPLIED
    assert course(Kind.WRITE, fate).unknown


def test_what_the_backend_raises_comes_out_untouched():
    error = LookupError("no such model")

    def fail(pool):
        raise error

    with pytest.raises(LookupError) as raised:
        Backend(Pool).calling(fail)()

    assert raised.value is error


def test_colours_that_do_not_fit_are_refused_while_the_program_is_wired():
    async def coroutine(*_): ...

    for wrong in (
        lambda: Backend(coroutine).calling(lambda pool: None),
        lambda: Backend(coroutine).get(),
        lambda: Backend(Pool, adapt_args=coroutine),
        lambda: Backend(Pool, adapt_result=coroutine),
        lambda: Backend("pool"),
    ):
        with pytest.raises(ConfigurationError):
            wrong()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_makes_its_own_object_and_never_touches_its_parents():
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
