"""Snapshot: what a service may know of its environment. Routes only: no plan, no guardrail, no person."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controlplane.domain.flag import Flag, Operation, Side, final_side
from controlplane.domain.phases import Phase
from controlplane.domain.retention import Retention
from controlplane.domain.routing import written
from controlplane.domain.share import FULL

SCHEMA = 1
BUCKETING = "flagd-v3"


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How services cut time: bucket length, and how long after a bucket's end its calls may still answer.

    And how long what they tell is kept.
    """

    bucket_seconds: int = 10
    seal_seconds: float = 20.0
    retention: Retention = Retention()

    @property
    def outcome_deadline_seconds(self) -> float:
        """Half the seal; the rest is for the report to arrive."""
        return self.seal_seconds / 2


def compile_snapshot(
    environment: str, source: str, version: int, flags: Iterable[Flag], clockwork: Clockwork
) -> dict[str, Any]:
    """The document of docs/protocol.md; retired flags are left out."""
    return {
        "schema": SCHEMA,
        "environment": environment,
        "source": source,
        "version": version,
        "bucketing": BUCKETING,
        "telemetry": {
            "bucket_seconds": clockwork.bucket_seconds,
            "outcome_deadline_seconds": clockwork.outcome_deadline_seconds,
        },
        "flags": {flag.key: _told(flag) for flag in flags if not flag.retired_at},
    }


def _told(flag: Flag) -> dict[str, Any]:
    """A feature that is moved without targeting is routed like any migration; of another, SDKs know that it is one."""
    if not flag.is_routed:
        return {"kind": flag.kind.value}
    return _final(flag) if flag.archived_at else _route(flag)


def _route(flag: Flag) -> dict[str, Any]:
    route: dict[str, Any] = {
        "kind": "migration",
        "baseline": flag.baseline,
        "candidate": flag.candidate,
        "enabled": flag.enabled,
        "rolled_back": flag.rolled_back,
        "attempt": flag.rollout.attempt,
        "rules": [
            {
                "attribute": rule.attribute,
                "operator": rule.operator.value,
                "values": list(rule.values),
                "serve": rule.serve.value,
            }
            for rule in flag.rules
        ],
        "operations": {name: _operation(flag, name, each) for name, each in flag.operations.items()},
    }
    if off := _off(flag):
        route["switches"] = dict.fromkeys(off, False)
    return route


def _off(flag: Flag) -> tuple[str, ...]:
    """Behind the point of no return a call that fails must not be rescued by a store that misses what was written."""
    rescues = ("breaker", "fallback") if flag.rollout.phase is Phase.COMPLETE else ()
    return tuple(dict.fromkeys((*flag.switches.off, *rescues)))


def _final(flag: Flag) -> dict[str, Any]:
    """An archived flag: one side for each operation, in words that services know who have never heard of archives."""
    shares = {name: FULL if final_side(flag, name) is Side.CANDIDATE else 0 for name in flag.operations}
    operations = {
        name: {"share": share, "mode": "single", "rolled_back": False, "latency_tolerance": 0}
        for name, share in shares.items()
    }
    return {
        "kind": "migration",
        "baseline": flag.baseline,
        "candidate": flag.candidate,
        "enabled": True,
        "rolled_back": False,
        "attempt": flag.rollout.attempt,
        "archived": True,
        "rules": [],
        "operations": operations,
    }


def _operation(flag: Flag, name: str, operation: Operation) -> dict[str, Any]:
    """Settings travel as they were written: what is absent is the code's own, or the SDK's default."""
    told: dict[str, Any] = {
        "share": operation.share,
        "mode": operation.mode.value,
        "rolled_back": operation.rolled_back,
        "latency_tolerance": _latency_tolerance(flag, name),
    }
    if operation.mode.samples:
        told["shadow_share"] = operation.sampled_share
    settings = {"breaker": written(operation.breaker), "retry": written(operation.retry)}
    return told | {name: fields for name, fields in settings.items() if fields}


def _latency_tolerance(flag: Flag, name: str) -> int:
    limits = flag.guardrails_of(name)
    return limits.compare.latency_tolerance if limits and limits.compare else 0
