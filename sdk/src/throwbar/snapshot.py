"""What does the control plane want? The polled document, checked and compiled. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from throwbar.circuit import BreakerSettings
from throwbar.errors import ConfigurationError, SnapshotError
from throwbar.plan import FlagPlan, Overrides
from throwbar.retry import RetrySettings
from throwbar.terms import breaker_mode, breaker_settings, retry_settings

SCHEMA = 1
BUCKETING = "flagd-v3"
_ROUTER_FIELDS = {"mode", "shadow_share", "breaker", "retry"}
_SLICE = 50  # flags compiled before other threads get a turn


class Snapshot(NamedTuple):
    """One version of everything. Compared by identity: a new object is a new state of the world."""

    environment: str
    source: str
    version: int
    bucket_seconds: int
    outcome_deadline_seconds: float
    flags: Mapping[str, FlagPlan]

    @property
    def etag(self) -> str:
        return f'"{self.source}.{self.version}"'

    @property
    def ready(self) -> bool:
        return self.source != ""


NOTHING = Snapshot("", "", 0, 10, 10.0, {})


def parse(body: bytes) -> dict[str, Any]:
    """The document behind the bytes, its frame checked; `compile_snapshot` checks the flags. Raises SnapshotError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"the snapshot is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise SnapshotError("the snapshot is not a JSON object")
    if document.get("schema") != SCHEMA:
        raise SnapshotError(f"schema is {document.get('schema')!r}, this SDK reads {SCHEMA}")
    _expect(document, "", {"environment": str, "source": str, "bucketing": str, "flags": dict, "version": int})
    telemetry = document.get("telemetry", {})
    _check_telemetry(telemetry)
    if not document["source"] or document["version"] < 1:
        raise SnapshotError("source is empty or version is below 1")
    return document


def compile_snapshot(
    document: Mapping[str, Any],
    previous: Snapshot = NOTHING,
    overrides: Overrides | None = None,
    breathe: Callable[[], object] = lambda: None,
) -> Snapshot:
    """Compile a parsed document; a flag that did not change keeps its plan. Raises SnapshotError that names a field.

    `breathe` is called between slices, so that other threads get their turn.
    """
    readable = document["bucketing"] == BUCKETING
    flags: dict[str, FlagPlan] = {}
    for number, (key, raw) in enumerate(document["flags"].items()):
        known = previous.flags.get(key)
        if known is not None and known.still_right(raw, overrides or {}, readable=readable):
            flags[key] = known
        elif _check_flag(f"flags.{key}", raw):
            flags[key] = FlagPlan(key, raw, overrides or {}, readable=readable)
        if number % _SLICE == _SLICE - 1:
            breathe()
    telemetry = document.get("telemetry", {})
    return Snapshot(
        document["environment"],
        document["source"],
        document["version"],
        telemetry.get("bucket_seconds", NOTHING.bucket_seconds),
        float(telemetry.get("outcome_deadline_seconds", NOTHING.outcome_deadline_seconds)),
        flags,
    )


def supersedes(document: Mapping[str, Any], current: Snapshot) -> bool:
    """A lower version of the same source is a late answer: applying it could undo a rollback."""
    return bool(document["source"] != current.source or document["version"] >= current.version)


def _check_telemetry(telemetry: object) -> None:
    if not isinstance(telemetry, dict):
        raise SnapshotError("telemetry is not an object")
    seconds = telemetry.get("bucket_seconds", 10)
    deadline = telemetry.get("outcome_deadline_seconds", 10)
    if not _is(seconds, int) or not 1 <= seconds <= 3600:
        raise SnapshotError("telemetry.bucket_seconds is not a whole number from 1 to 3600")
    if not (_is(deadline, int) or isinstance(deadline, float)) or not 0 <= deadline <= 3600:
        raise SnapshotError("telemetry.outcome_deadline_seconds is not a number from 0 to 3600")


def _check_flag(path: str, flag: object) -> bool:
    """True for a sound migration, False for a kind of flag this SDK does not route."""
    if not isinstance(flag, dict):
        raise SnapshotError(f"{path} is not an object")
    if flag.get("kind", "migration") != "migration":
        return False
    _expect(flag, path, {"baseline": str, "candidate": str, "enabled": bool, "operations": dict})
    _expect(
        {"rolled_back": False, "attempt": 0, "rules": []} | flag,
        path,
        {"rolled_back": bool, "attempt": int, "rules": list},
    )
    for number, rule in enumerate(flag.get("rules", [])):
        _expect(rule, f"{path}.rules[{number}]", {"attribute": str, "operator": str, "values": list, "serve": str})
    for name, operation in flag["operations"].items():
        where = f"{path}.operations.{name}"
        _expect(operation, where, {"share": int})
        _expect(
            {"rolled_back": False, "latency_tolerance": 0} | operation,
            where,
            {"rolled_back": bool, "latency_tolerance": int},
        )
        if not 0 <= operation["share"] <= 100_000:
            raise SnapshotError(f"{where}.share is outside 0…100000")
        if operation.keys() & _ROUTER_FIELDS:
            _check_router(where, operation)
    if "switches" in flag:
        _expect(flag, path, {"switches": dict})
    return True


def _check_router(where: str, operation: dict[str, Any]) -> None:
    """What an operation says of its breaker, its retries and its second side."""
    _expect(
        {"mode": "single", "shadow_share": 0, "breaker": {}, "retry": {}} | operation,
        where,
        {"mode": str, "shadow_share": int, "breaker": dict, "retry": dict},
    )
    try:
        breaker_settings(BreakerSettings(), operation.get("breaker", {}))
        breaker_mode(operation.get("breaker", {}))
        retry_settings(RetrySettings(), operation.get("retry", {}))
    except (ConfigurationError, TypeError) as error:
        raise SnapshotError(f"{where}: {error}") from None


def _expect(value: object, path: str, fields: Mapping[str, type]) -> None:
    if not isinstance(value, dict):
        raise SnapshotError(f"{path} is not an object")
    for name, kind in fields.items():
        if not _is(value.get(name), kind):
            raise SnapshotError(f"{path + '.' if path else ''}{name} is not {_NOUNS[kind]}")


def _is(value: object, kind: type) -> bool:
    # JSON's true is an int to Python, and no number to us.
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


_NOUNS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}
