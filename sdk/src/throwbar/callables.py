"""Is a function called, awaited, or iterated? Told without importing `inspect`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

from throwbar.errors import ConfigurationError

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


class Colour(StrEnum):
    """How the result of a function is got."""

    SYNC = "a plain function"
    ASYNC = "a coroutine function"


def colour_of(function: Callable[..., Any]) -> Colour:
    """Raises ConfigurationError for what cannot be timed as one call: generators, and what is no function."""
    if isinstance(function, staticmethod | classmethod):
        raise ConfigurationError(
            f"{name_of(function)} is a {type(function).__name__}: put that decorator above this one"
        )
    if not callable(function):
        raise ConfigurationError(f"{function!r} is not callable")
    flags = _flags(function)
    if flags & (_GENERATOR | _ASYNC_GENERATOR):
        raise ConfigurationError(
            f"{name_of(function)} is a generator: it runs after the call, so it cannot be routed as one"
        )
    return Colour.ASYNC if flags & _COROUTINE else Colour.SYNC


def name_of(function: object) -> str:
    """A name for messages."""
    return str(getattr(function, "__qualname__", None) or repr(function))


def _flags(function: Callable[..., object]) -> int:
    while isinstance(function, partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:  # an object with __call__, or a function written in C
        code = getattr(type(function).__call__, "__code__", None)
    return int(getattr(code, "co_flags", 0))
