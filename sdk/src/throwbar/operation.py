"""How is a named kind of call run, when its two backends are two functions?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from throwbar.binding import Binding
from throwbar.callables import Colour, colour_of, name_of
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.plain import Run
from throwbar.policy import Policy
from throwbar.runner import Runner

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class Operation:
    """Two functions of one meaning; a call runs the one that is decided, and what its policy allows after a failure."""

    def __init__(self, engine: Engine, binding: Binding, policy: Policy) -> None:
        self.name = binding.operation
        self.policy = policy
        self._engine = engine
        self._binding = binding
        self._open = binding.open
        self._functions: dict[str, Function] = {}
        self._colour = Colour.SYNC
        self._runner: Runner | None = None
        self._run: Run | None = None  # the runner's, for plain functions

    def baseline(self, function: F) -> F:
        """Decorator: this function calls the backend we trust."""
        return self._register("baseline", function)

    def candidate(self, function: F) -> F:
        """Decorator: this function calls the backend we move to."""
        return self._register("candidate", function)

    def __call__(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Route one call by `key` and `attributes`; everything else is for the function.

        With coroutine functions this is `acall`.
        """
        run = self._run
        if run is None:
            self._complete()
            return self.acall(*args, key=key, attributes=attributes, **kwargs)
        return run(key, attributes, args, kwargs)

    async def acall(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """The same for coroutine functions."""
        runner = self._complete()
        if self._colour is Colour.SYNC:
            raise ConfigurationError(f"the functions of operation {self.name!r} are plain ones: call it without acall")
        return await runner.run_async(self._open(key, attributes), args, kwargs)

    def _register(self, side: str, function: F) -> F:
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
            self._runner = Runner(self._engine, self._binding, self.policy, pair)
            self._run = self._runner.caller() if colour is Colour.SYNC else None
        return function

    def _complete(self) -> Runner:
        """Refuse the first call already, not the first that the candidate would have got."""
        if self._runner is None:
            missing = "candidate" if "baseline" in self._functions else "baseline"
            raise ConfigurationError(f"operation {self.name!r} has no {missing}: decorate a function with it")
        return self._runner
