"""How does a function that is called all over the place get a candidate, with its call sites unchanged?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from throwbar.binding import Binding, Opened
from throwbar.callables import Colour, colour_of, name_of
from throwbar.errors import ConfigurationError

Function = Callable[..., Any]
KeyOf = Callable[..., object]
AttributesOf = Callable[..., Mapping[str, Any]]
F = TypeVar("F", bound=Function)


def routed(binding: Binding, baseline: F, candidate: Function, key: KeyOf | None, attributes: AttributesOf | None) -> F:
    """`baseline`, with the calls that are decided so going to `candidate`. Raises ConfigurationError."""
    colour = colour_of(baseline)
    if colour_of(candidate) is not colour:
        raise ConfigurationError(f"{name_of(baseline)} is {colour}, its candidate {name_of(candidate)} is not")
    for name, function in (("key", key), ("attributes", attributes)):
        if function is not None and not callable(function):
            raise ConfigurationError(f"{name} is {function!r}, not a function of the call's arguments")
    opener = _opener(binding, key, attributes)
    wrap = _wrap_async if colour is Colour.ASYNC else _wrap
    return cast(F, wrap(binding, (baseline, candidate), opener))


Opener = Callable[[tuple[object, ...], dict[str, object]], Opened]


def _opener(binding: Binding, key: KeyOf | None, attributes: AttributesOf | None) -> Opener:
    def opened(args: tuple[object, ...], kwargs: dict[str, object]) -> Opened:
        try:
            key_of_call = None if key is None else key(*args, **kwargs)
            attributes_of_call = None if attributes is None else attributes(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the service's own functions, but the call they belong to must go on
            return binding.open_in_trouble(error)
        return binding.open(key_of_call, attributes_of_call)

    return opened


def _wrap(binding: Binding, pair: tuple[Function, Function], opened: Opener) -> Function:
    @functools.wraps(pair[0])
    def route(*args: object, **kwargs: object) -> object:
        choice, _, token = opened(args, kwargs)
        try:
            result = pair[choice.candidate](*args, **kwargs)
        except BaseException as error:
            binding.close(token, error)
            raise
        binding.close(token, None)
        return result

    return route


def _wrap_async(binding: Binding, pair: tuple[Function, Function], opened: Opener) -> Function:
    @functools.wraps(pair[0])
    async def route(*args: object, **kwargs: object) -> object:
        choice, _, token = opened(args, kwargs)
        try:
            result = await pair[choice.candidate](*args, **kwargs)
        except BaseException as error:
            binding.close(token, error)
            raise
        binding.close(token, None)
        return result

    return route
