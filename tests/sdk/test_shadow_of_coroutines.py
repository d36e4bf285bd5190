"""Shadow calls of coroutine functions: tasks that nobody awaits."""

import asyncio
import gc
from contextvars import ContextVar

import pytest

from tests.sdk.second_calls import Choices, RememberingHost
from throwbar import shadow
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


@pytest.fixture(autouse=True)
def _no_tasks_of_other_tests():
    shadow._tasks.clear()


def pairing_of(host, candidate, **manner):
    async def baseline(*args):
        return "old"

    return Pairing(host, (baseline, candidate), Manner(**{"deadline": 20.0} | manner), asynchronous=True)


async def serve(pairing, choices, *args):
    """What the engine does around the caller's own call."""
    pair = pairing.begin(choices.baseline, choices.shadow_candidate, "k", args, {})
    value = await pairing.functions[0](*args)
    if pair is not None:
        pair.finish(value, None, MS)
    return value


async def rest():
    """Until all second calls are over."""
    await asyncio.wait_for(asyncio.gather(*shadow._tasks), 20)


def test_the_answer_is_there_before_the_second_call_begins_and_both_are_compared(host, choices):
    begun = []

    async def candidate(number):
        begun.append(number)
        return "new"

    async def main():
        answer = await serve(pairing_of(host, candidate), choices, 7)
        begun_by_then = list(begun)
        await rest()
        return answer, begun_by_then

    assert asyncio.run(main()) == ("old", [])
    assert begun == [7]
    assert host.tally.compared == ["mismatch"]
    assert host.tally.ended == [("candidate", "shadow", "k", None)]


def test_sixteen_are_under_way_at_most_and_the_rest_are_dropped_and_counted(host, choices):
    async def main():
        release = asyncio.Event()
        under_way = []

        async def candidate():
            under_way.append(1)
            await release.wait()
            return "old"

        pairing = pairing_of(host, candidate)
        for _ in range(40):
            await serve(pairing, choices)
            await asyncio.sleep(0)
        hanging = len(under_way)
        release.set()
        await rest()
        return hanging

    assert asyncio.run(main()) == 16
    assert sorted(host.tally.compared) == ["dropped"] * 24 + ["match"] * 16


def test_no_exception_of_a_second_call_is_left_for_the_loop_to_complain_about(host, choices):
    complaints = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        errors = iter([ValueError("no"), SystemExit(3), ConnectionResetError()])

        async def candidate():
            raise next(errors)

        pairing = pairing_of(host, candidate)
        for _ in range(3):
            await serve(pairing, choices)
            await rest()
        gc.collect()

    asyncio.run(main())

    assert host.tally.compared == ["failed"] * 3
    assert complaints == []
    assert host.errors == []


def test_a_second_call_is_stopped_when_its_own_time_is_over(host, choices):
    stopped = []

    async def candidate():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    async def main():
        await serve(pairing_of(host, candidate, deadline=0.01), choices)
        await rest()

    asyncio.run(main())

    assert stopped == [True]
    assert host.tally.compared == ["failed"]
    assert host.tally.ended == [("candidate", "shadow", "k", "timeout")]


def test_the_callers_context_goes_along_and_a_shadow_knows_that_it_is_one(host, choices):
    tenant = ContextVar("tenant", default="nobody")
    seen = []

    async def candidate():
        seen.append((tenant.get(), is_shadow()))

    async def main():
        tenant.set("acme")
        await serve(pairing_of(host, candidate), choices)
        tenant.set("another")
        await rest()
        return is_shadow()

    assert asyncio.run(main()) is False
    assert seen == [("acme", True)]


def test_a_caller_that_is_cancelled_takes_no_second_call_along(host, choices):
    async def main():
        release, begun = asyncio.Event(), asyncio.Event()

        async def candidate():
            begun.set()
            await release.wait()
            return "old"

        async def caller():
            await serve(pairing_of(host, candidate), choices)
            await asyncio.Event().wait()

        task = asyncio.create_task(caller())
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
        release.set()
        await rest()

    asyncio.run(main())

    assert host.tally.compared == ["match"]


def test_a_loop_that_ends_ends_its_second_calls_in_silence(host, choices):
    complaints = []

    async def candidate():
        await asyncio.Event().wait()

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        await serve(pairing_of(host, candidate), choices)
        await asyncio.sleep(0)

    asyncio.run(main())

    assert host.tally.compared == []
    assert host.tally.ended == [("candidate", "shadow", "k", "cancelled")]
    assert complaints == []
    assert shadow._tasks == set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:.*was never awaited")
def test_a_loop_that_was_closed_over_its_tasks_leaves_room_for_another(host, choices):
    async def hang():
        await asyncio.Event().wait()

    pairing = pairing_of(host, hang)
    loop = asyncio.new_event_loop()
    for _ in range(16):
        loop.run_until_complete(serve(pairing, choices))
    full = len(shadow._tasks)
    for task in shadow._tasks:
        task._log_destroy_pending = False
    loop.close()

    async def candidate():
        return "old"

    async def main():
        await serve(pairing_of(host, candidate), choices)
        await rest()

    asyncio.run(main())

    assert full == 16
    assert host.tally.compared == ["match"]


def test_a_loop_of_another_make_gets_no_comparison_and_no_error(host, choices):
    async def candidate():
        return "old"

    routine = serve(pairing_of(host, candidate), choices)
    with pytest.raises(StopIteration) as ended:
        routine.send(None)

    assert ended.value.value == "old"
    assert host.tally.compared == ["dropped"]
    assert host.errors == []
