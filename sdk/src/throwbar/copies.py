"""What may a second call be given? Copies: two calls that share an argument change each other's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CopyOf = Callable[[Any], Any]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_ATOMS = frozenset({bool, bytes, complex, float, int, str, type(None)})


def copy_of(value: object, snapshot: CopyOf | None) -> Any:  # noqa: ANN401 - whatever was given
    """A copy that later changes of the value do not reach. Raises what the copying raises."""
    if type(value) in _ATOMS:
        return value
    if snapshot is not None:
        return snapshot(value)
    from copy import deepcopy  # noqa: PLC0415 - few calls are made twice, and few services make any

    return deepcopy(value)


def copy_call(args: tuple[object, ...], kwargs: Mapping[str, object], snapshot: CopyOf | None) -> Arguments:
    """Each argument is copied by itself, so that `snapshot` can leave out a `self` or a connection."""
    copied = tuple(copy_of(value, snapshot) for value in args)
    return copied, {name: copy_of(value, snapshot) for name, value in kwargs.items()}
