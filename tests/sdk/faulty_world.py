"""Two backends that know what they did, a client as users have it between them and a caller, and clocks set by hand.

Plain functions sleep by moving the clock; coroutines run on a loop whose time the same clock is.
"""

import asyncio
import contextlib
import functools
import math
import random
from collections import Counter
from types import SimpleNamespace
from typing import Any

import throwbar
from tests.sdk.call_faults import (
    ALL,
    CUT_SHORT,
    DECLARATIONS,
    FAULTS,
    IDEMPOTENT,
    READ,
    ROUTES,
    NoSuchOrder,
    Outcome,
    name_of,
    store_of,
)
from tests.sdk.fake_control_plane import FakeControlPlane, PerfClock, a_document, a_flag
from throwbar.deadline import Deadline

MS = 1_000_000


class LoopOnAClock(asyncio.SelectorEventLoop):
    """A loop that moves its clock where another would wait."""

    def __init__(self, clock: PerfClock) -> None:
        super().__init__()
        self._clock = clock
        self._look, self._selector.select = self._selector.select, self._select

    def time(self) -> float:
        return self._clock.now / 1e9

    def _select(self, timeout: float | None) -> list[Any]:
        assert timeout is not None, "somebody waits for what will never come"
        self._clock.now += math.ceil(timeout * 1e9)
        return self._look(0)


def by_key(operation, order):
    return operation(order, key=order)


class World:
    """`attempts` and `done` tell of the newest call: what came of each attempt where, and what each store holds.

    A backend honours idempotency keys; with `shared_keys` both look them up in one store.
    """

    def __init__(self, monkeypatch, *, asynchronous=False):
        self.clock, self.asynchronous = PerfClock(), asynchronous
        self.loop = LoopOnAClock(self.clock) if asynchronous else None
        self.server = FakeControlPlane()
        self.client = throwbar.Client(
            *("http://throwbar.test", "token"),
            service="shop",
            poll_interval=3600,
            report_interval=3600,
            backup_file=False,
            transport=self.server,
            wall_clock=lambda: 1_790_000_010.0 + self.clock.now / 1e9,
        )
        engine = self.client.engine
        engine.perf_clock_ns = engine.tally.perf_clock_ns = self.clock
        # A report of the poller's own, whose pauses are real, would give up a call that hangs by the other clock.
        engine.hurry = lambda: None
        self.chance = random.Random(0)
        monkeypatch.setattr("throwbar.drive.time", SimpleNamespace(sleep=self.sleep))
        monkeypatch.setattr("throwbar.chance.os", SimpleNamespace(urandom=self.chance.randbytes))
        self.orders = self.client.migration("orders", baseline="old")
        self._operations = {}
        self.attempts, self.done = [], Counter()
        self.faults, self.pauses, self.interrupted_pause = iter(()), 0, 0
        self.shadow_calls, self.divergences = Counter(), []
        self.reported = Counter()

    def close(self):
        self.client.close()
        if self.loop is not None:
            self.loop.close()

    def serve(self):
        """The control plane lists an operation for each declaration on each route."""
        listed = {
            name_of(route, declared): {
                "share": route.share,
                "mode": route.mode,
                "shadow_share": ALL,
                "breaker": {"mode": route.breaker},
            }
            for route in set(ROUTES)
            for declared in DECLARATIONS
        }
        self.server.document = a_document(2, flags={"orders": a_flag(operations=listed)})
        assert self.client.wait_ready(60)

    def report(self):
        """What the control plane hears, added up in `reported`."""
        self.clock.now += 60_000 * MS
        assert self.client.flush(60)
        for report in self.server.reports:
            self.reported["dropped"] += sum(report.get("dropped", {}).values())
            for cell in report["cells"]:
                self.reported[cell["assigned_by"]] += cell["calls"]
                self.reported["unknown"] += cell.get("unknown", 0)
                self.reported["retries"] += cell.get("retries", 0)
        self.server.reports.clear()
        self.server.requests.clear()

    def operation(self, route, declared):
        """The same one for the same question, and its binding: breakers and budgets of its own."""
        name = name_of(route, declared)
        known = self._operations.get(name)
        if known is None:
            arguments = declared.arguments()
            if route.mode == "dual_write" and declared.kind is not READ:
                arguments |= {"dual_write": True, "reconcile": self.divergences.append}
            old, new = (self._function(backend, declared) for backend in ("old", "new"))
            if declared.deadline is None:  # either way to make an operation is as good as the other
                call = self.orders.route(name, candidate=new, key=lambda order: order, **arguments)(old)
            else:
                operation = self.orders.operation(name, **arguments)
                operation.baseline(old)
                operation.candidate(new)
                call = functools.partial(by_key, operation)
            known = self._operations[name] = call, self.orders._bind(name)
            for guard in known[1].guards:
                guard.breaker._clock_ns = self.clock
        return known

    def call(self, schedule, step):
        """Make one call to its end, and to that of all it left behind."""
        operation, _ = self.operation(schedule.route, schedule.declared)
        self.attempts.clear()
        self.done.clear()
        self.divergences.clear()
        key = f"k{self.chance.randrange(99)}"
        try:
            with self._time_left(step):
                if self.loop is None:
                    return Outcome(operation(key))
                return self.loop.run_until_complete(self._acall(operation, key, step))
        except BaseException as error:  # noqa: BLE001 - to be judged
            return Outcome(error=error)

    async def _acall(self, operation, key, step):
        try:
            async with asyncio.timeout(step.patience) as patience:
                return Outcome(await operation(key))
        except BaseException as error:  # noqa: BLE001 - as above
            return Outcome(error=error, gave_up=patience.expired())
        finally:
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)

    def _time_left(self, step):
        if step.time_left is None:
            return contextlib.nullcontext()
        return Deadline(int(step.time_left * 1e9), self.clock.now, clock_ns=self.clock)

    def _function(self, backend, declared):
        def call(order):
            fault = self._begin(backend, declared)
            if fault is not None:
                self.clock.now += fault.ms * MS
                self._apply(backend, fault, declared)
            return self._end(backend, fault)

        async def acall(order):
            fault = self._begin(backend, declared)
            early = self.chance.random() < 0.5
            if fault is not None:
                if early:
                    self._apply(backend, fault, declared)
                await self._take(fault)
                if not early:
                    self._apply(backend, fault, declared)
            return self._end(backend, fault)

        return acall if self.asynchronous else call

    async def _take(self, fault):
        number = len(self.attempts) - 1
        try:
            await asyncio.sleep(fault.ms / 1e3)
        except asyncio.CancelledError:
            self.attempts[number] = self.attempts[number][0], CUT_SHORT
            raise

    def _begin(self, backend, declared):
        if throwbar.is_shadow():
            self.shadow_calls[declared.kind] += 1
            return None
        fault = FAULTS[next(self.faults, "none")]
        if declared.kind is IDEMPOTENT and self.done[store_of(backend, declared)] and fault.error is NoSuchOrder:
            fault = FAULTS["none"]  # whoever honours the key has the answer of the first time
        self.attempts.append((backend, fault))
        return fault

    def _apply(self, backend, fault, declared):
        if fault.applied:
            store = store_of(backend, declared)
            self.done[store] = 1 if declared.kind is IDEMPOTENT else self.done[store] + 1

    def _end(self, backend, fault):
        if fault is not None and fault.error is not None:
            error = fault.error()
            error.came_from = backend
            raise error
        return backend

    def sleep(self, seconds):
        """The pause between two attempts of plain functions, in which somebody may press Ctrl-C."""
        self.pauses += 1
        self.clock.now += int(seconds * 1e9)
        if self.pauses == self.interrupted_pause:
            raise KeyboardInterrupt
