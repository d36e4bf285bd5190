import asyncio
import threading

import pytest

from tests.sdk.fake_control_plane import Clock
from throwbar.affinity import Affinity, SessionWorkerUnavailable
from throwbar.deadline import Deadline
from throwbar.evidence import classify
from throwbar.lease import WorkerBusy
from throwbar.seats import Placement
from throwbar.taxonomy import Category, Delivery


def started(target, *args):
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


def waiting(affinity):
    with affinity._lock:
        return sum(map(len, affinity._turns._queues.values()))


def wait_until_waiting(affinity, number):
    pause = threading.Event()
    for _ in range(2_000):
        if waiting(affinity) == number:
            return
        pause.wait(0.01)
    raise AssertionError(f"{waiting(affinity)} calls wait, not {number}")


def test_without_a_capacity_nobody_waits():
    affinity = Affinity(["a"], "strict_fail_fast")

    with affinity.lease("s") as first, affinity.lease("s") as second:
        assert first == second == ("a", Placement.HOME, None)


def test_row_13_a_hint_goes_elsewhere_for_this_call_when_its_worker_is_busy():
    affinity = Affinity(["a", "b"], capacity=1)

    with affinity.lease("s") as first, affinity.lease("s") as second:
        pass
    with affinity.lease("s") as third:
        pass

    assert {first.worker, second.worker} == {"a", "b"}
    assert (first.reason, second.reason) == (Placement.HOME, Placement.BUSY)
    assert third == first


def test_row_13_strict_fail_fast_refuses_when_the_worker_is_busy():
    affinity = Affinity(["a", "b"], "strict_fail_fast", capacity=1)

    with affinity.lease("s") as held, pytest.raises(WorkerBusy) as raised, affinity.lease("s"):
        pass
    info = classify(raised.value)

    assert raised.value.worker == held.worker
    assert (info.category, info.delivery, info.retryable) == (Category.THROTTLED, Delivery.REJECTED, True)
    with affinity.lease("s") as again:
        assert again == held


def test_row_13_strict_queue_serves_in_the_order_of_arrival():
    affinity = Affinity(["a"], "strict_queue", capacity=1)
    served = []

    def call(number):
        with affinity.lease(number):
            served.append(number)

    with affinity.lease("holder"):
        threads = []
        for number in range(5):
            threads.append(started(call, number))
            wait_until_waiting(affinity, number + 1)
    for thread in threads:
        thread.join(20)

    assert served == [0, 1, 2, 3, 4]
    assert affinity._turns._running == {}


@pytest.mark.parametrize("mode", ["hint", "strict_queue"])
def test_a_call_waits_no_longer_than_its_timeout_or_its_deadline(mode):
    affinity = Affinity(["a"], mode, capacity=1)

    with affinity.lease("s"):
        with pytest.raises(WorkerBusy), affinity.lease("s", timeout=0.01):
            pass
        now = Clock(0)
        with Deadline(10_000_000, 0, clock_ns=lambda: int(now.now)), pytest.raises(WorkerBusy), affinity.lease("s"):
            pass

    assert waiting(affinity) == 0
    assert affinity._turns._running == {}


def test_those_who_wait_for_a_worker_that_dies_ask_anew():
    affinity = Affinity(["a", "b"], "strict_queue", capacity=1)
    worker, outcome = affinity.assign("s").worker, []

    def call():
        try:
            with affinity.lease("s"):
                pass
        except SessionWorkerUnavailable as error:
            outcome.append(error.worker)

    with affinity.lease("s"):
        thread = started(call)
        wait_until_waiting(affinity, 1)
        affinity.report_dead(worker)
        thread.join(20)

    assert outcome == [worker]
    with affinity.lease("s") as moved:
        assert moved.moved_from == worker


def test_a_leased_call_that_goes_well_proves_a_worker_that_returned():
    clock = Clock(0)
    affinity = Affinity(["a"], clock=clock, capacity=1)
    affinity.report_dead("a")
    clock.tick(60)

    with affinity.lease("probe") as assignment, pytest.raises(SessionWorkerUnavailable):
        affinity.assign("other")

    assert assignment.reason is Placement.PROBE
    assert affinity.assign("other").reason is Placement.HOME


def test_coroutines_and_threads_stand_in_one_queue():
    affinity = Affinity(["a"], "strict_queue", capacity=1)
    served = []

    def call():
        with affinity.lease("thread"):
            served.append("thread")

    async def acall(name):
        async with affinity.lease(name):
            served.append(name)

    async def main():
        async with affinity.lease("holder"):
            first = asyncio.create_task(acall("first"))
            await asyncio.sleep(0)
            thread = started(call)
            await asyncio.to_thread(wait_until_waiting, affinity, 2)
            last = asyncio.create_task(acall("last"))
            await asyncio.sleep(0)
        await asyncio.gather(first, last)
        await asyncio.to_thread(thread.join, 20)

    asyncio.run(main())

    assert served == ["first", "thread", "last"]
    assert affinity._turns._running == {}


def test_a_cancelled_coroutine_leaves_the_queue_and_passes_its_turn_on():
    affinity = Affinity(["a"], "strict_queue", capacity=1)
    served = []

    async def acall(name):
        async with affinity.lease(name):
            served.append(name)

    async def main():
        async with affinity.lease("holder"):
            tasks = [asyncio.create_task(acall(name)) for name in ("waits", "granted", "last")]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
        tasks[1].cancel()  # its turn came with the end of the block, but it has not run since
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())

    assert served == ["last"]
    assert affinity._turns._running == {}


def test_a_turn_is_not_given_to_a_call_whose_loop_is_closed():
    affinity = Affinity(["a"], "strict_queue", capacity=1)
    loop = asyncio.new_event_loop()
    with affinity.lease("holder"):
        entering = affinity.lease("lost").__aenter__()
        task = loop.create_task(entering)
        loop.run_until_complete(asyncio.sleep(0))
        task._log_destroy_pending = False
        loop.close()

    with affinity.lease("s", timeout=0.01) as assignment:
        assert assignment.worker == "a"
    entering.close()
