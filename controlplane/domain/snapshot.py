"""Snapshot: what a service may know of its environment. Routes only: no plan, no guardrail, no person."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controlplane.domain.flag import Flag

SCHEMA = 1
BUCKETING = "flagd-v3"


@dataclass(frozen=True, slots=True)
class Clockwork:
    """How services cut time: bucket length, and how long after a bucket's end its calls may still answer."""

    bucket_seconds: int = 10
    seal_seconds: float = 20.0

    @property
    def outcome_deadline_seconds(self) -> float:
        """Half the seal; the rest is for the report to arrive."""
        return self.seal_seconds / 2


def compile_snapshot(
    environment: str, source: str, version: int, flags: Iterable[Flag], clockwork: Clockwork
) -> dict[str, Any]:
    """The document of docs/protocol.md; archived flags are left out."""
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
        "flags": {flag.key: _route(flag) for flag in flags if flag.archived_at is None},
    }


def _route(flag: Flag) -> dict[str, Any]:
    return {
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
        "operations": {
            name: {
                "share": each.share,
                "mode": each.mode.value,
                "rolled_back": each.rolled_back,
                "latency_tolerance": _latency_tolerance(flag, name),
            }
            for name, each in flag.operations.items()
        },
    }


def _latency_tolerance(flag: Flag, name: str) -> int:
    limits = flag.guardrails_of(name)
    return limits.compare.latency_tolerance if limits and limits.compare else 0
