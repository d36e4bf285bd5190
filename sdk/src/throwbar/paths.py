"""Where in a value is something, and is that one of the places somebody named? Pure.

`$.meta.ts` names an attribute or a key, `$.items[0]` a position, `$.items[*].id` all positions, `$.*.id` all names,
`$["odd name"].id` any key at all, and `$..id` an `id` at whatever depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from throwbar.errors import ConfigurationError

Path = tuple[str | int, ...]
ANY = -1  # the position of an element where positions mean nothing

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(
    r"\.\.(?P<deep>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|\.(?P<name>\*|[A-Za-z_][A-Za-z0-9_-]*)"
    r"|\[(?P<position>\*|\d+)\]"
    r'|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]'
)
_ANY_NAME = r'(?:\.[A-Za-z_][A-Za-z0-9_-]*|\["(?:[^"\\]|\\.)*"\])'
_ANY_POSITION = r"\[(?:\d+|\*)\]"


def spell(path: Path) -> str:
    """The path in the words of this module's docstring."""
    return "$" + "".join(_spell_step(step) for step in path)


def is_plain(name: str) -> bool:
    """Looks like the name of a field."""
    return _PLAIN.fullmatch(name) is not None


class Places:
    """The places that some patterns name."""

    __slots__ = ("_expression", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ConfigurationError for a pattern that cannot be read."""
        if isinstance(patterns, str):
            raise ConfigurationError(f"{patterns!r} is one path; put it into a list")
        self.patterns = tuple(patterns)
        alternatives = "|".join(_expression(pattern) for pattern in self.patterns)
        self._expression = re.compile(alternatives) if alternatives else None

    def hold(self, path: Path) -> bool:
        return self._expression is not None and self._expression.fullmatch(spell(path)) is not None


def _spell_step(step: str | int) -> str:
    if isinstance(step, int):
        return "[*]" if step == ANY else f"[{step}]"
    return f".{step}" if is_plain(step) else f"[{json.dumps(step)}]"


def _expression(pattern: object) -> str:
    if not isinstance(pattern, str) or not pattern.startswith("$"):
        raise ConfigurationError(f"the path {pattern!r} is none: write one like $.meta.ts or $.items[*].id")
    parts, at = [r"\$"], 1
    while at < len(pattern):
        step = _STEP.match(pattern, at)
        if step is None:
            raise ConfigurationError(f"the path {pattern!r} cannot be read from {pattern[at:]!r} on")
        parts.append(_expression_of_step(step))
        at = step.end()
    return "".join(parts)


def _expression_of_step(step: re.Match[str]) -> str:
    if step["deep"]:
        return f"(?:{_ANY_NAME}|{_ANY_POSITION})*" + re.escape(f".{step['deep']}")
    if step["quoted"]:
        return re.escape(_spell_step(str(json.loads(step["quoted"]))))
    if step["position"]:
        return _ANY_POSITION if step["position"] == "*" else re.escape(f"[{step['position']}]")
    return _ANY_NAME if step["name"] == "*" else re.escape(f".{step['name']}")
