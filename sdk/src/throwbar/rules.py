"""Does a targeting rule speak about this call? Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_Test = Callable[[str, tuple[str, ...]], bool]

_OPERATORS: dict[str, _Test] = {
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "starts_with": lambda value, wanted: value.startswith(wanted),
    "ends_with": lambda value, wanted: value.endswith(wanted),
    "contains": lambda value, wanted: any(part in value for part in wanted),
}


class Rule:
    """One line of a flag's rules. The attribute `key` is the key of the decision itself."""

    __slots__ = ("_attribute", "_test", "_values", "candidate")

    def __init__(self, attribute: str, operator: str, values: tuple[str, ...], *, candidate: bool) -> None:
        self._attribute = attribute
        self._values = values
        self._test = _OPERATORS.get(operator)
        # An operator of a newer server: nobody knows whom it meant to keep away, so all go to the baseline.
        self.candidate = candidate and self._test is not None

    def matches(self, key: str | None, attributes: Mapping[str, Any] | None) -> bool:
        if self._test is None:
            return True
        value = key if self._attribute == "key" else (attributes or {}).get(self._attribute)
        return value is not None and self._test(str(value), self._values)
