"""How is a named kind of call run, when its two backends are two functions?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from throwbar.binding import Binding
from throwbar.callables import Colour, colour_of, name_of
from throwbar.errors import ConfigurationError
from throwbar.kinds import Kind

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class Operation:
    """Two functions of one meaning; a call runs one of them, once. Its result or exception comes out untouched.

    `kind` and `deadline` (seconds) say what the call is like: what may be repeated, and for how long it matters.
    """

    def __init__(self, binding: Binding, kind: Kind, deadline: float | None) -> None:
        self.name = binding.operation
        self.kind = kind
        self.deadline = deadline
        self._binding = binding
        self._functions: dict[str, Function] = {}
        self._plain_pair: tuple[Function, Function] | None = None
        self._colour = Colour.SYNC

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
        pair = self._plain_pair
        if pair is None:
            self._complete()
            return self.acall(*args, key=key, attributes=attributes, **kwargs)
        choice, _, token = self._binding.open(key, attributes)
        try:
            result = pair[choice.candidate](*args, **kwargs)
        except BaseException as error:
            self._binding.close(token, error)
            raise
        self._binding.close(token, None)
        return result

    async def acall(
        self, *args: object, key: object = None, attributes: Mapping[str, Any] | None = None, **kwargs: object
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """The same for coroutine functions."""
        pair = self._complete()
        if self._colour is Colour.SYNC:
            raise ConfigurationError(f"the functions of operation {self.name!r} are plain ones: call it without acall")
        choice, _, token = self._binding.open(key, attributes)
        try:
            result = await pair[choice.candidate](*args, **kwargs)
        except BaseException as error:
            self._binding.close(token, error)
            raise
        self._binding.close(token, None)
        return result

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
        if len(self._functions) == 2 and colour is Colour.SYNC:
            self._plain_pair = (self._functions["baseline"], self._functions["candidate"])
        return function

    def _complete(self) -> tuple[Function, Function]:
        """Refuse the first call already, not the first that the candidate would have got."""
        for side in ("baseline", "candidate"):
            if side not in self._functions:
                raise ConfigurationError(f"operation {self.name!r} has no {side}: decorate a function with it")
        return self._functions["baseline"], self._functions["candidate"]
