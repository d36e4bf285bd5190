"""Which second call goes with a call, in the mode that the control plane asks for and the operation allows?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.callables import Colour, colour_of
from throwbar.decision import Choice, Reason
from throwbar.drive import drive, drive_async
from throwbar.dual import DualWrite
from throwbar.engine import Engine
from throwbar.modes import AA, DUAL_WRITE
from throwbar.pairing import Pair, Pairing
from throwbar.policy import Policy
from throwbar.steps import Call
from throwbar.write import Write

_TROUBLED = frozenset({Reason.CIRCUIT_OPEN, Reason.HALF_OPEN_PROBE, Reason.SDK_ERROR})

Function = Callable[..., Any]


class BothSides:
    """The second calls of one operation."""

    def __init__(self, engine: Engine, binding: Binding, policy: Policy, pair: tuple[Function, Function]) -> None:
        asynchronous = colour_of(pair[0]) is Colour.ASYNC
        self._engine = engine
        self._modes = policy.modes
        self._pairing = Pairing(engine, pair, policy.manner, asynchronous=asynchronous)
        self._dual = DualWrite(engine, pair, policy.manner, policy.reconcile, asynchronous=asynchronous)
        binding.companions.append(self)

    def run(self, call: Call) -> Any:  # noqa: ANN401 - whatever the function returns
        """The call, and whatever second one its mode asks for."""
        first = call.opened
        second = self._begin(call)
        began_ns = self._engine.perf_clock_ns()  # the copies for the second call are none of the first one's time
        try:
            value = drive(call)
        except BaseException as error:
            self._failed(second, call, first, error, began_ns)
            raise
        if isinstance(second, Write):
            _turned(second, call, first).complete()
        elif second is not None:
            self._answered(second, call, first, value, began_ns)
        return value

    async def run_async(self, call: Call) -> Any:  # noqa: ANN401 - as above
        """The same for coroutine functions."""
        first = call.opened
        second = self._begin(call)
        began_ns = self._engine.perf_clock_ns()  # the copies for the second call are none of the first one's time
        try:
            value = await drive_async(call)
        except BaseException as error:
            self._failed(second, call, first, error, began_ns)
            raise
        if isinstance(second, Write):
            await _turned(second, call, first).acomplete()
        elif second is not None:
            self._answered(second, call, first, value, began_ns)
        return value

    def _begin(self, call: Call) -> Pair | Write | None:
        """To be asked before the call is made, as that may change its arguments. None when it stays the only one."""
        first, key = call.opened[0], call.opened[5]
        plan = first.plan
        if plan.mode not in self._modes or not plan.switches.shadow:
            return None
        if plan.mode == DUAL_WRITE:
            return self._dual.begin(first, _other(first), key, call.args, call.kwargs)
        if first.reason in _TROUBLED or (plan.mode == AA and first.candidate):
            return None
        second = plan.by_shadow_baseline if plan.mode == AA else _other(first)
        return self._pairing.begin(first, second, key, call.args, call.kwargs)

    def _failed(
        self, second: Pair | Write | None, call: Call, first: Opened, error: BaseException, began_ns: int
    ) -> None:
        if isinstance(second, Write):
            _turned(second, call, first).fail(error)
        elif second is not None and call.opened is first:
            second.finish(None, error, self._engine.perf_clock_ns() - began_ns)

    def _answered(self, pair: Pair, call: Call, first: Opened, value: object, began_ns: int) -> None:
        if call.opened is first:  # else it was the baseline that answered in the end, and there is nothing to compare
            pair.finish(value, None, self._engine.perf_clock_ns() - began_ns)

    def renew(self) -> None:
        """A new process."""
        self._pairing.renew()
        self._dual.renew()

    def divergences(self) -> int:
        """Since this was last asked."""
        return self._dual.divergences.fresh()

    def diverged(self) -> dict[str, int]:
        """The same by the side that misses them, and those that were reconciled."""
        return self._dual.divergences.fresh_sides()


def _turned(write: Write, call: Call, first: Opened) -> Write:
    """Where the fallback did the write, it is the candidate that comes second."""
    if call.opened is not first:
        write.swap(call.opened[0], _other(call.opened[0]))
    return write


def _other(first: Choice) -> Choice:
    return first.plan.by_shadow_baseline if first.candidate else first.plan.by_shadow_candidate
