"""A migration as an application's own configuration file describes it → the equal flag. Pure.

The keys are those with which hand-made migrations of this kind are steered: one switch, one percentage for a list of
operations, two thresholds, and whether to roll back when one is crossed. They are looked for where applications keep
them: at the top, in `dspex`, in `migration`, in `features`, and in `dspex.migration`, `dspex.features`,
`migration.features` and `dspex.migration.features`.
"""

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.documents.flag import parse_flag
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag_rules import check

TABLES = ("dspex", "migration", "features")

# What a key may be spelt like, and what it is called here.
SPELLINGS = {
    "use_snakepit_backend": "use_snakepit_backend",
    "snakepit_percentage": "snakepit_percentage",
    "snakepit_operations": "snakepit_operations",
    "basic_operations": "basic_operations",
    "session_affinity": "session_affinity",
    "circuit_breaker": "circuit_breaker",
    "advanced_retry": "advanced_retry",
    "rollback_on_error": "rollback_on_error",
    "snakepit_rollback_on_error": "rollback_on_error",
    "error_rate_threshold": "error_rate_threshold",
    "latency_threshold_ms": "latency_threshold_ms",
}
_SWITCHES = {"session_affinity": "affinity", "circuit_breaker": "breaker", "advanced_retry": "retry"}
_WORDS = (
    (re.compile(r"operations\.[^.]*\.percent"), "snakepit_percentage"),
    (re.compile(r"operations(\..*)?", re.DOTALL), "snakepit_operations"),
    (re.compile(r"guardrails\.max_error_rate"), "error_rate_threshold"),
    (re.compile(r"guardrails\.max_latency_ms\.p99"), "latency_threshold_ms"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """What such a file does not say: the flag's key and the two backends."""

    key: str = "dspex-bridge"
    baseline: str = "python_pool_v2"
    candidate: str = "snakepit"


@dataclass(frozen=True, slots=True)
class Imported:
    """The flag's document, and the paths in the file that say nothing about a migration."""

    document: Mapping[str, Any]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    value: Any


def read_migration_config(config: Mapping[str, Any], names: Names) -> Imported:
    """The equal flag. Raises InvalidInput for a key that is misspelt, given twice, or has a value of another type."""
    ignored: list[str] = []
    found: dict[str, _Found] = {}
    for path, value in _leaves(config, ""):
        name = SPELLINGS.get(path.rpartition(".")[2])
        if name is None:
            ignored.append(_not_misspelt(path))
        elif name in found:
            raise _refused(path, f"says again what '{found[name].path}' says: keep one of them")
        else:
            found[name] = _Found(path, value)
    if not found:
        raise _refused("file", f"holds no key of a migration; known are {', '.join(sorted(set(SPELLINGS.values())))}")
    document = _document(found, names)
    try:
        check(parse_flag(document))
    except InvalidInput as error:
        raise InvalidInput(tuple(_in_the_words_of_the_file(each, found) for each in error.errors)) from None
    return Imported(document, tuple(ignored))


def _leaves(table: Mapping[str, Any], within: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        path = f"{within}.{name}" if within else name
        if isinstance(value, Mapping) and name in TABLES:
            yield from _leaves(value, path)
        else:
            yield path, value


def _not_misspelt(path: str) -> str:
    """A threshold that is passed over unseen is worse than a refusal."""
    near = difflib.get_close_matches(path.rpartition(".")[2], SPELLINGS, n=1, cutoff=0.8)
    if near:
        raise _refused(path, f"is unknown: is '{near[0]}' meant?")
    return path


def _document(found: Mapping[str, _Found], names: Names) -> dict[str, Any]:
    percent, operations = _number(found, "snakepit_percentage", 0), _operations(found)
    if percent and not operations:
        raise _refused(found["snakepit_percentage"].path, "moves nothing: name the operations in 'snakepit_operations'")
    routed = _switch(found, "use_snakepit_backend", default=False) and _switch(found, "basic_operations", default=True)
    rolls_back = _switch(found, "rollback_on_error", default=True)
    return {
        "key": names.key,
        "baseline": names.baseline,
        "candidate": names.candidate,
        "enabled": routed,
        "switches": {ours: _switch(found, theirs, default=True) for theirs, ours in _SWITCHES.items()},
        "operations": {name: {"percent": percent} for name in operations},
        "guardrails": {
            "max_error_rate": _number(found, "error_rate_threshold", 0.05),
            "max_latency_ms": {"p99": _number(found, "latency_threshold_ms", 1000)},
            "on_breach": "rollback" if rolls_back else "hold",
        },
    }


def _switch(found: Mapping[str, _Found], name: str, *, default: bool) -> bool:
    if name not in found:
        return default
    if not isinstance(found[name].value, bool):
        raise _refused(found[name].path, "must be true or false")
    return bool(found[name].value)


def _number(found: Mapping[str, _Found], name: str, default: float) -> float:
    if name not in found:
        return default
    value = found[name].value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(found[name].path, "must be a number")
    if not math.isfinite(value):
        raise _refused(found[name].path, "must be a finite number")
    return value


def _operations(found: Mapping[str, _Found]) -> list[str]:
    if "snakepit_operations" not in found:
        return []
    value = found["snakepit_operations"].value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _refused(found["snakepit_operations"].path, "must be a list of names")
    return [each.removeprefix(":") for each in value]  # as the names are written in an Elixir configuration


def _in_the_words_of_the_file(error: FieldError, found: Mapping[str, _Found]) -> FieldError:
    """`guardrails.max_error_rate` is no name that the file's author knows."""
    for ours, theirs in _WORDS:
        if theirs in found and ours.fullmatch(error.field):
            return FieldError(found[theirs].path, error.message)
    return error


def _refused(field: str, message: str) -> InvalidInput:
    return InvalidInput((FieldError(field, message),))
