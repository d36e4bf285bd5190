"""Writes to two stores by coroutine functions, some of whose callers do not wait for the end."""

import asyncio

import pytest

from tests.sdk.second_calls import Choices, RememberingHost
from throwbar.dual import DualWrite
from throwbar.second import Manner


class AsyncShop:
    """Two stores, and a dual write between them; each write waits for what `gates` has for (store, order)."""

    def __init__(self, reconcile=None):
        self.stores = {"old": [], "new": []}
        self.gates, self.begun = {}, {}
        self.host, self.choices, self.mended = RememberingHost(), Choices(), []
        functions = (self.writer("old"), self.writer("new"))
        hook = reconcile or self.mended.append
        self.dual = DualWrite(self.host, functions, Manner(deadline=20.0), hook, asynchronous=True)
        self.functions = functions

    def writer(self, name):
        async def write(order):
            self.begun.setdefault((name, order), asyncio.Event()).set()
            gate = self.gates.get((name, order))
            if isinstance(gate, Exception):
                raise gate
            if gate is not None:
                await gate.wait()
            self.stores[name].append(order)
            return name

        return write

    def hold(self, name, order):
        self.gates[name, order] = asyncio.Event()
        self.begun[name, order] = asyncio.Event()
        return self.gates[name, order], self.begun[name, order]

    async def write(self, order, key="k"):
        write = self.dual.begin(self.choices.baseline, self.choices.shadow_candidate, key, (order,), {})
        try:
            answer = await self.functions[0](order)
        except BaseException as error:
            write.fail(error)
            raise
        await write.acomplete()
        return answer

    async def rest(self):
        while self.dual._tasks:
            await asyncio.wait(set(self.dual._tasks), timeout=20)


def run(main):
    return asyncio.run(asyncio.wait_for(main, 30))


def test_coroutines_write_both_stores_and_record_a_failing_second_half():
    async def main():
        shop = AsyncShop()
        shop.gates["new", "b"] = ConnectionRefusedError()
        answers = [await shop.write("a"), await shop.write("b")]
        return shop, answers

    shop, answers = run(main())

    assert answers == ["old", "old"]
    assert shop.stores == {"old": ["a", "b"], "new": ["a"]}
    assert [record.args for record in shop.mended] == [("b",)]


def test_a_caller_cancelled_between_the_halves_leaves_both_stores_written():
    async def main():
        shop = AsyncShop()
        release, begun = shop.hold("new", "a")
        caller = asyncio.create_task(shop.write("a"))
        await begun.wait()
        caller.cancel()
        await asyncio.wait({caller})
        before = {name: list(store) for name, store in shop.stores.items()}
        release.set()
        await shop.rest()
        return shop, caller.cancelled(), before

    shop, cancelled, before = run(main())

    assert cancelled
    assert before == {"old": ["a"], "new": []}
    assert shop.stores == {"old": ["a"], "new": ["a"]}
    assert shop.mended == []


def test_a_caller_cancelled_during_the_first_half_leaves_a_record():
    async def main():
        shop = AsyncShop()
        _, begun = shop.hold("old", "a")
        caller = asyncio.create_task(shop.write("a"))
        await begun.wait()
        caller.cancel()
        await asyncio.wait({caller})
        return shop

    shop = run(main())

    assert [(record.because, record.first_unknown) for record in shop.mended] == [("cancelled", True)]


@pytest.mark.parametrize("moment", ["before it began", "while it ran"])
def test_a_loop_that_ends_before_the_second_half_leaves_a_record(moment):
    shop = None

    async def main():
        nonlocal shop
        shop = AsyncShop()
        _, begun = shop.hold("new", "a")
        write = shop.dual.begin(shop.choices.baseline, shop.choices.shadow_candidate, "k", ("a",), {})
        await shop.functions[0]("a")
        routine = write.acomplete()
        routine.send(None)  # the task exists, and the loop has not turned since
        if moment == "while it ran":
            await begun.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        routine.close()

    asyncio.run(main())

    assert shop.stores == {"old": ["a"], "new": []}
    assert [record.because for record in shop.mended] == ["cancelled"]


def test_writes_of_one_key_reach_the_second_store_in_the_order_of_the_first():
    async def main():
        shop = AsyncShop()
        release, begun = shop.hold("new", 1)
        given_up = asyncio.create_task(shop.write(1))
        await begun.wait()
        given_up.cancel()
        others = [asyncio.create_task(shop.write(number)) for number in (2, 3)]
        elsewhere = await shop.write(4, key="another")
        overtaking = list(shop.stores["new"])
        release.set()
        await asyncio.gather(*others)
        return shop, elsewhere, overtaking

    shop, _, overtaking = run(main())

    assert overtaking == [4]
    assert [order for order in shop.stores["new"] if order != 4] == [1, 2, 3]
    assert shop.dual._tails == {}


def test_an_awaitable_hook_is_awaited_by_nobody_the_caller_waits_for():
    mended, release = [], None

    async def mend(divergence):
        await release.wait()
        mended.append(divergence.args)

    async def main():
        nonlocal release
        release = asyncio.Event()
        shop = AsyncShop(reconcile=mend)
        shop.gates["new", "a"] = ConnectionRefusedError()
        await shop.write("a")
        before = list(mended)
        release.set()
        await shop.rest()
        return shop, before

    shop, before = run(main())

    assert before == []
    assert mended == [("a",)]
    assert shop.dual.divergences.kept() == []
    assert shop.dual.divergences.fresh_sides() == {"candidate_missing": 1, "candidate_reconciled": 1}


def test_a_hook_that_could_not_be_awaited_leaves_its_record():
    async def broken(divergence):
        raise RuntimeError("no")

    async def hang(divergence):
        await asyncio.Event().wait()

    async def main(hook, *, rest):
        shop = AsyncShop(reconcile=hook)
        shop.gates["new", "a"] = ConnectionRefusedError()
        await shop.write("a")
        await asyncio.sleep(0)
        if rest:
            await shop.rest()
        return shop

    for hook, rest in ((broken, True), (hang, False)):
        shop = asyncio.run(main(hook, rest=rest))
        assert [record.args for record in shop.dual.divergences.kept()] == [("a",)]
