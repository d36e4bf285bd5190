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
    return _copied(value, {}) if snapshot is None else snapshot(value)


def copy_call(args: tuple[object, ...], kwargs: Mapping[str, object], snapshot: CopyOf | None) -> Arguments:
    """Each argument is copied by itself, so that `snapshot` can leave out a `self` or a connection."""
    copied = tuple(copy_of(value, snapshot) for value in args)
    return copied, {name: copy_of(value, snapshot) for name, value in kwargs.items()}


def _copied(value: object, memo: dict[int, Any]) -> Any:  # noqa: ANN401 - as above
    """As `copy.deepcopy`, and with its `memo`, but several times faster for what JSON is made of: a caller waits."""
    kind = type(value)
    if kind is dict:
        return _copied_dict(value, memo)  # type: ignore[arg-type] # seen above
    if kind is list:
        return _copied_list(value, memo)  # type: ignore[arg-type] # seen above
    from copy import deepcopy  # noqa: PLC0415 - few calls are made twice, and few services make any

    return deepcopy(value, memo)


def _copied_dict(value: dict[Any, object], memo: dict[int, Any]) -> object:
    if id(value) in memo:
        return memo[id(value)]
    made: dict[Any, object] = {}
    memo[id(value)] = made  # before its parts: one of them may be the whole
    for name, part in value.items():
        own_name = name if type(name) in _ATOMS else _copied(name, memo)
        made[own_name] = part if type(part) in _ATOMS else _copied(part, memo)
    return made


def _copied_list(value: list[object], memo: dict[int, Any]) -> object:
    if id(value) in memo:
        return memo[id(value)]
    made: list[object] = []
    memo[id(value)] = made  # as above
    made.extend(part if type(part) in _ATOMS else _copied(part, memo) for part in value)
    return made
