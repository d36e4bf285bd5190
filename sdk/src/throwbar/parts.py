"""What is a value made of? Pure, but for the properties of other people's objects, which are not asked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

NOTHING_INSIDE = ""


class _Missing:
    """Stands where one side has nothing."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Parts(NamedTuple):
    """Parts by name or position. Values of different `family` are not compared part by part."""

    family: object
    named: Mapping[Any, object]
    positional: bool = False
    unordered: bool = False


_LEAF = Parts(NOTHING_INSIDE, {})


def parts_of(value: object) -> Parts:
    """Of containers of the language, and of objects that carry their attributes themselves; anything else is a leaf."""
    if isinstance(value, dict):
        return Parts("mapping", value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return Parts(type(value), dict(zip(value._fields, value, strict=False)))
    if isinstance(value, list | tuple):
        return Parts("list" if isinstance(value, list) else "tuple", dict(enumerate(value)), positional=True)
    if isinstance(value, set | frozenset):
        return Parts("set", dict(enumerate(value)), unordered=True)
    if isinstance(value, type | Enum) or callable(value):
        return _LEAF
    attributes = _attributes_of(value)
    return _LEAF if attributes is None else Parts(type(value), attributes)


def has_own_equality(value: object) -> bool:
    """False for objects that are equal to nothing but themselves."""
    return type(value).__eq__ is not object.__eq__


def _attributes_of(value: object) -> dict[str, object] | None:
    kinds = type(value).__mro__
    slots = [name for kind in kinds for name in _slots_of(kind)]
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict):
        own = None
    if own is None and not slots:
        return None
    found = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return found | (own or {})


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(_mangled(kind, name) for name in names if name not in ("__dict__", "__weakref__"))


def _mangled(kind: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{kind.__name__.lstrip('_')}{name}" if private else name
