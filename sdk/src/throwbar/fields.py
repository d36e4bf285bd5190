"""Is what the control plane says of a flag sound? Each field's type and range, or a SnapshotError that names it. Pure.

Types are compared, not asked with `isinstance`: JSON makes no others, its true is an int to Python and no number to
us, and 2 000 flags are to be checked while calls go on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from throwbar.circuit import BreakerSettings
from throwbar.errors import ConfigurationError, SnapshotError
from throwbar.retry import RetrySettings
from throwbar.terms import breaker_mode, breaker_settings, retry_settings

Fields = Mapping[str, type]

_FLAG: Fields = {
    "baseline": str,
    "candidate": str,
    "enabled": bool,
    "operations": dict,
    "rolled_back": bool,
    "attempt": int,
    "rules": list,
    "switches": dict,
    "archived": bool,
}
_FLAG_NEEDS = ("baseline", "candidate", "enabled", "operations")
_RULE: Fields = {"attribute": str, "operator": str, "values": list, "serve": str}
_OPERATION: Fields = {
    "share": int,
    "rolled_back": bool,
    "latency_tolerance": int,
    "mode": str,
    "shadow_share": int,
    "breaker": dict,
    "retry": dict,
}
_OPERATION_NEEDS = ("share",)
_NOUNS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}


def check_flag(flag: object, key: str) -> TypeGuard[dict[str, Any]]:
    """True for a sound migration, False for a kind of flag this SDK does not route."""
    if type(flag) is not dict:
        raise SnapshotError(f"flags.{key} is not an object")
    if flag.get("kind", "migration") != "migration":
        return False
    check_fields(flag, ("flags", key), _FLAG, _FLAG_NEEDS)
    for number, rule in enumerate(flag.get("rules", ())):
        check_fields(rule, ("flags", key, f"rules[{number}]"), _RULE, _RULE)
    for name, operation in flag["operations"].items():
        _check_operation(("flags", key, "operations", name), operation)
    return True


def check_fields(value: object, path: tuple[str, ...], fields: Fields, needed: Collection[str]) -> None:
    """`value` is an object, has what is needed, and of these fields none of another type."""
    if type(value) is not dict:
        raise SnapshotError(f"{'.'.join(path)} is not an object")
    for name, item in value.items():
        if name in fields and type(item) is not fields[name]:
            raise _wrong(path, name, fields)
    for name in needed:
        if name not in value:
            raise _wrong(path, name, fields)


def _wrong(path: tuple[str, ...], name: str, fields: Fields) -> SnapshotError:
    return SnapshotError(f"{'.'.join((*path, name))} is not {_NOUNS[fields[name]]}")


def _check_operation(path: tuple[str, ...], operation: Any) -> None:  # noqa: ANN401 - as it came
    check_fields(operation, path, _OPERATION, _OPERATION_NEEDS)
    if not 0 <= operation["share"] <= 100_000:
        raise SnapshotError(f"{'.'.join(path)}.share is outside 0…100000")
    if "breaker" in operation or "retry" in operation:
        _check_settings(path, operation)


def _check_settings(path: tuple[str, ...], operation: Mapping[str, Any]) -> None:
    """What an operation says of its breaker and its retries."""
    try:
        breaker_settings(BreakerSettings(), operation.get("breaker", {}))
        breaker_mode(operation.get("breaker", {}))
        retry_settings(RetrySettings(), operation.get("retry", {}))
    except (ConfigurationError, TypeError) as error:
        raise SnapshotError(f"{'.'.join(path)}: {error}") from None
