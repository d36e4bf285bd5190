"""What keeps calls away from a baseline that fails, where the code asked its breaker to act?

Only such operations pay for it. While the breaker is closed the call itself holds its permit; while it is not, the
call holds none, and the probe's is held here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from throwbar.binding import Binding
from throwbar.breaker import tell
from throwbar.callables import Colour, colour_of
from throwbar.circuit import BreakerOpen, Permit
from throwbar.engine import Engine
from throwbar.evidence import classify
from throwbar.guard import NO_PERMIT
from throwbar.policy import Policy

Function = Callable[..., Any]


def gated(
    engine: Engine, binding: Binding, policy: Policy, pair: tuple[Function, Function]
) -> tuple[Function, Function]:
    """The same pair, whose baseline raises BreakerOpen while its breaker is open, if the policy asks for that."""
    baseline, candidate = pair
    if policy.breaker is None or not policy.breaker.baseline:
        return pair
    gate = _Gate(engine, binding, policy)
    around = gate.around if colour_of(baseline) is Colour.SYNC else gate.around_async
    return around(baseline), candidate


class _Gate:
    def __init__(self, engine: Engine, binding: Binding, policy: Policy) -> None:
        self._engine = engine
        self._binding = binding
        self._policy = policy

    def around(self, function: Function) -> Function:
        @wraps(function)
        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - theirs
            permit, started_ns = self._enter()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                self._failed(permit, started_ns, error)
                raise
            self._succeeded(permit, started_ns)
            return result

        return call

    def around_async(self, function: Function) -> Function:
        @wraps(function)
        async def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - theirs
            permit, started_ns = self._enter()
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                self._failed(permit, started_ns, error)
                raise
            self._succeeded(permit, started_ns)
            return result

        return call

    def _enter(self) -> tuple[Permit, int]:
        guard = self._binding.guards[0]
        now_ns = self._engine.perf_clock_ns()
        if guard.breaker.passing is not None:
            return NO_PERMIT, now_ns
        permit = guard.breaker.acquire(now_ns)
        if permit is None:
            raise BreakerOpen(f"the breaker of {guard.backend} is open: it kept failing, and is left alone for a while")
        return permit, now_ns

    def _failed(self, permit: Permit, started_ns: int, error: BaseException) -> None:
        now_ns = self._engine.perf_clock_ns()
        answer = isinstance(error, self._policy.expected)
        tell(permit, None if answer else classify(error, self._policy.classify), now_ns, now_ns - started_ns)

    def _succeeded(self, permit: Permit, started_ns: int) -> None:
        now_ns = self._engine.perf_clock_ns()
        permit.succeeded(now_ns, now_ns - started_ns)
