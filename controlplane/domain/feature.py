"""Feature: named values of one type, and the targeting that picks among them.

Without a candidate it is switched and targeted only; with one it is moved like a migration, from variant to variant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Variants = Mapping[str, Any]  # name → a JSON value, in the order in which they were written
DEFAULT_OPERATION = "default"  # what a feature is asked for where nobody names an operation


class Kind(StrEnum):
    """What a flag is; it never becomes the other."""

    MIGRATION = "migration"
    FEATURE = "feature"


class ValueType(StrEnum):
    """What all values of one feature are. JSON knows one kind of number."""

    BOOLEAN = "boolean"
    STRING = "string"
    NUMBER = "number"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Feature:
    """`targeting` is JsonLogic as flagd has it, whose outcome names a variant; None: everybody gets the same."""

    variants: Variants
    targeting: Mapping[str, Any] | None = None

    @property
    def value_type(self) -> ValueType | None:
        """The type of the first value; None where it has none that is allowed."""
        return next((type_of(each) for each in self.variants.values()), None)


def type_of(value: object) -> ValueType | None:
    """None for lists and null, which not every OpenFeature client can ask for."""
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    if isinstance(value, str):
        return ValueType.STRING
    if isinstance(value, int | float):
        return ValueType.NUMBER
    return ValueType.OBJECT if isinstance(value, Mapping) else None
