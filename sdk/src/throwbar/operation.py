"""How is a named kind of call run, when its two backends are two functions?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from throwbar.binding import Binding
from throwbar.callables import Colour, colour_of, name_of
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.plain import Run
from throwbar.policy import Policy
from throwbar.runner import Runner

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class Operation(Protocol):
    """Two functions of one meaning; a call runs the one that is decided, and what its policy allows after a failure.

    It is a function itself, for the interpreter takes a fifth of a routed call to find the `__call__` of an object.
    So in the body of a class it is a method.
    """

    name: str
    policy: Policy

    def baseline(self, function: F) -> F:
        """Decorator: this function calls the backend we trust."""

    def candidate(self, function: F) -> F:
        """Decorator: this function calls the backend we move to."""

    def __call__(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Route one call by `key` and `attributes`; everything else is for the function.

        With coroutine functions this is `acall`.
        """

    async def acall(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - as above
        """The same for coroutine functions."""


def operation_of(engine: Engine, binding: Binding, policy: Policy) -> Operation:
    """One whose two functions are to come."""
    sides = _Sides(engine, binding, policy)
    run = sides.run  # a variable of its own: each call would pay for the attribute

    def operation(
        *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        return run(key, attributes, args, kwargs)

    def register(side: str) -> Callable[[F], F]:
        def registered(function: F) -> F:
            nonlocal run
            sides.register(side, function)
            run = sides.run
            return function

        return registered

    operation.__name__ = operation.__qualname__ = sides.name
    operation.__dict__.update(
        name=sides.name,
        policy=policy,
        baseline=register("baseline"),
        candidate=register("candidate"),
        acall=sides.acall,
    )
    return cast(Operation, operation)


class _Sides:
    """The functions of an operation, and how they are run once both are there."""

    def __init__(self, engine: Engine, binding: Binding, policy: Policy) -> None:
        self.name = binding.operation
        self.run: Run = self._run_too_early
        self._engine = engine
        self._binding = binding
        self._policy = policy
        self._functions: dict[str, Function] = {}
        self._colour = Colour.SYNC
        self._runner: Runner | None = None

    def register(self, side: str, function: Function) -> None:
        colour = colour_of(function)
        if side in self._functions:
            raise ConfigurationError(f"operation {self.name!r} has a {side} already: {name_of(self._functions[side])}")
        if self._functions and colour is not self._colour:
            raise ConfigurationError(
                f"{name_of(function)} is {colour}, the other side of operation {self.name!r} is {self._colour}"
            )
        self._colour = colour
        self._functions[side] = function
        if len(self._functions) == 2:
            pair = (self._functions["baseline"], self._functions["candidate"])
            self._runner = Runner(self._engine, self._binding, self._policy, pair)
            self.run = self._runner.caller() if colour is Colour.SYNC else self._run_async

    async def acall(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        runner = self._complete()
        if self._colour is Colour.SYNC:
            raise ConfigurationError(f"the functions of operation {self.name!r} are plain ones: call it without acall")
        return await runner.run_async(self._binding.open(key, attributes), args, kwargs)

    async def _run_async(
        self, key: object, attributes: Mapping[str, Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:  # noqa: ANN401 - as above
        return await self._complete().run_async(self._binding.open(key, attributes), args, kwargs)

    def _run_too_early(self, *_: object) -> Any:  # noqa: ANN401 - it never returns
        self._complete()

    def _complete(self) -> Runner:
        """Refuse the first call already, not the first that the candidate would have got."""
        if self._runner is None:
            missing = "candidate" if "baseline" in self._functions else "baseline"
            raise ConfigurationError(f"operation {self.name!r} has no {missing}: decorate a function with it")
        return self._runner
