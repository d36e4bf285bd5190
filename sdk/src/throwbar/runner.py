"""How is a call run that was decided and opened? The short way while all is well, else by the steps of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.decision import SINGLE
from throwbar.drive import drive, drive_async
from throwbar.engine import Engine
from throwbar.gate import gated
from throwbar.plain import Run, plain_run
from throwbar.policy import Policy
from throwbar.steps import Call, Ended

if TYPE_CHECKING:
    from throwbar.both_sides import BothSides

Function = Callable[..., Any]


class Runner:
    """Two functions, baseline first, and what is declared of their calls.

    A call that goes well, and has neither a deadline nor a second side, meets no generator, no token and no
    classification.
    """

    __slots__ = ("_alone", "_binding", "_both", "_close", "_engine", "_finish", "_pair", "_policy", "_timed")

    def __init__(self, engine: Engine, binding: Binding, policy: Policy, pair: tuple[Function, Function]) -> None:
        self._engine = engine
        self._binding = binding
        self._policy = policy
        self._pair = gated(engine, binding, policy, pair)
        self._close = binding.close
        self._finish = binding.finish
        self._both: BothSides | None = None
        self._alone = policy.modes == {SINGLE}
        if policy.reconcile is not None:
            self._both_sides()  # refuses what does not go with these functions
        self._timed = policy.deadline is not None

    def caller(self) -> Run:
        """The function that makes calls, from their keys on."""
        run, opened = self.run, self._binding.open

        def general(
            key: object, attributes: Mapping[str, Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
        ) -> Any:  # noqa: ANN401 - theirs
            return run(opened(key, attributes), args, kwargs)

        return general if self._timed else plain_run(self._engine, self._binding, self._pair, general, self.go_on)

    def run(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - theirs
        """What the function returns, or raises."""
        choice = opened[0]
        if choice.paired and choice.plan.stand_in is not None:
            return drive(self._call(opened, args, kwargs))
        if choice.paired and not self._alone:
            return self._both_sides().run(self._call(opened, args, kwargs))
        if self._timed:
            return drive(self._call(opened, args, kwargs))
        try:
            function = self._pair[choice.candidate]
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as error:  # noqa: BLE001 - it is raised below, unless there is an answer
            failure = error
        else:
            self._close(opened)
            return result
        # Not in the `except`: what is raised from here must not carry this error as its context.
        try:
            return self.go_on(failure, opened, args, kwargs)
        finally:
            del failure  # or the error would keep this frame alive, in a circle

    def go_on(self, failure: BaseException, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - theirs
        """What comes of a call whose first attempt raised this."""
        first = Ended(None, failure)
        try:
            return drive(self._call(opened, args, kwargs), first)
        finally:
            del failure, first

    async def run_async(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - theirs
        """The same for coroutine functions."""
        choice = opened[0]
        if choice.paired and choice.plan.stand_in is not None:
            return await drive_async(self._call(opened, args, kwargs))
        if choice.paired and not self._alone:
            return await self._both_sides().run_async(self._call(opened, args, kwargs))
        if self._timed:
            return await drive_async(self._call(opened, args, kwargs))
        try:
            result = await self._pair[choice.candidate](*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - as above
            first = Ended(None, error)
        else:
            self._finish(opened)
            return result
        try:
            return await drive_async(self._call(opened, args, kwargs), first)
        finally:
            del first

    def _both_sides(self) -> BothSides:
        """Made when a mode first asks for it: most operations never have another one than `single`."""
        both = self._both
        if both is None:
            from throwbar.both_sides import BothSides  # noqa: PLC0415 - for the same reason

            with self._binding.lock:  # which a fork renews
                both = self._both = self._both or BothSides(self._engine, self._binding, self._policy, self._pair)
        return both

    def _call(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        stand_in = opened[0].plan.stand_in
        pair = self._pair if stand_in is None else (self._pair[0], stand_in)
        return Call(self._engine, self._binding, self._policy, pair, opened, args, kwargs)
