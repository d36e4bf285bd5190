"""How is a call run that was decided and opened? The short way while all is well, else by the steps of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from throwbar.binding import Binding, Opened
from throwbar.both_sides import BothSides
from throwbar.decision import SINGLE
from throwbar.drive import drive, drive_async
from throwbar.engine import Engine
from throwbar.policy import Policy
from throwbar.steps import Call, Ended

Function = Callable[..., Any]


class Runner:
    """Two functions, baseline first, and what is declared of their calls.

    A call that goes well, and has neither a deadline nor a second side, meets no generator, no token and no
    classification.
    """

    __slots__ = ("_binding", "_both", "_close", "_engine", "_finish", "_pair", "_policy", "_timed")

    def __init__(self, engine: Engine, binding: Binding, policy: Policy, pair: tuple[Function, Function]) -> None:
        self._engine = engine
        self._binding = binding
        self._policy = policy
        self._pair = pair
        self._close = binding.close
        self._finish = binding.finish
        self._both = None if policy.modes == {SINGLE} else BothSides(engine, binding, policy, pair)
        self._timed = policy.deadline is not None

    def run(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - theirs
        """What the function returns, or raises."""
        choice = opened[0]
        if choice.paired and self._both is not None:
            return self._both.run(self._call(opened, args, kwargs))
        if self._timed:
            return drive(self._call(opened, args, kwargs))
        try:
            function = self._pair[choice.candidate]
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as error:  # noqa: BLE001 - it is raised below, unless there is an answer
            first = Ended(None, error)
        else:
            self._close(opened)
            return result
        # Not in the `except`: what is raised from here must not carry this error as its context.
        try:
            return drive(self._call(opened, args, kwargs), first)
        finally:
            del first  # or the error would keep this frame alive, in a circle

    async def run_async(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - theirs
        """The same for coroutine functions."""
        choice = opened[0]
        if choice.paired and self._both is not None:
            return await self._both.run_async(self._call(opened, args, kwargs))
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

    def _call(self, opened: Opened, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        return Call(self._engine, self._binding, self._policy, self._pair, opened, args, kwargs)
