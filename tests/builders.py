"""Valid things, so that a test changes the one thing it is about."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.domain.arm import Arm
from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.histogram import LOWEST, index_of
from controlplane.domain.observation import Evidence
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.sample import Sample
from controlplane.domain.share import from_percent
from controlplane.usecases.changing import Cause
from controlplane.usecases.telemetry import Incoming

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday
ANN = Actor(ActorKind.PERSON, "ann@example.org")


def a_cause(at: datetime = NOW, *, reason: str = "because", expected: int | None = None) -> Cause:
    return Cause(ANN, at, reason, request_id="r-1", expected=expected)


def a_flag_document(**changes: Any) -> dict[str, Any]:
    """The worked example: dspex-bridge from python_pool_v2 to snakepit."""
    document = {
        "key": "dspex-bridge",
        "description": "Python bridge to Snakepit",
        "owner": "ml-platform",
        "tags": ["bridge"],
        "baseline": "python_pool_v2",
        "candidate": "snakepit",
        "enabled": True,
        "operations": {"echo": {"percent": 0}, "simple_predict": {"percent": 0}},
        "guardrails": {"min_samples": 100, "max_error_rate": 0.05, "max_latency_ms": {"p99": 1000}},
        "plan": a_plan_document(),
    }
    return {**document, **changes}


def a_feature_document(**changes: Any) -> dict[str, Any]:
    """A switch that nobody is moved to: on for whom its targeting names, else off."""
    targeting = {"if": [{"==": [{"var": "tier"}, "pro"]}, "on", None]}
    document = {
        "key": "new-checkout",
        "kind": "feature",
        "variants": {"on": True, "off": False},
        "default_variant": "off",
        "targeting": targeting,
        "enabled": True,
    }
    return {**document, **changes}


def a_moved_feature_document(**changes: Any) -> dict[str, Any]:
    """A feature that is rolled out like a migration, from off to on."""
    moved = {"targeting": None, "baseline": "off", "candidate": "on", "plan": a_plan_document()}
    return a_feature_document(**{**moved, **changes})


def a_plan_document(*percents: float, bake_seconds: float = 604_800) -> dict[str, Any]:
    return {"stages": [{"percent": each, "bake_seconds": bake_seconds} for each in percents or (1, 10, 50, 98)]}


def a_data_flag_document(**changes: Any) -> dict[str, Any]:
    """A migration of data: `read` reads from one store or the other, `write` writes to one or both."""
    kinds = {"read": {"kind": "read", "percent": 0, "shadow_percent": 100}, "write": {"kind": "write", "percent": 0}}
    return a_flag_document(**{"operations": kinds, "plan": a_data_plan_document(), **changes})


def a_data_plan_document(bake_seconds: float = 60, **changes: Any) -> dict[str, Any]:
    """Through every phase, with two stages in `live`."""
    stages: list[dict[str, Any]] = [{"phase": "dual_write"}, {"phase": "shadow"}, {"phase": "live", "percent": 50}]
    stages += [{"phase": "live", "percent": 100}, {"phase": "ramp_down"}, {"phase": "complete"}]
    return {"kind": "data", "stages": [{**each, "bake_seconds": bake_seconds} for each in stages], **changes}


def a_plan(*percents: float, bake: timedelta = timedelta(hours=1), approval: bool = False) -> Plan:
    return Plan(tuple(Stage(from_percent(each), bake, approval) for each in percents or (1, 10, 50, 98)))


def a_finding(consequence: Consequence = Consequence.NONE, **changes: Any) -> Finding:
    verdict = {Consequence.NONE: Verdict.HEALTHY, Consequence.HOLD: Verdict.INCONCLUSIVE}.get(
        consequence, Verdict.UNHEALTHY
    )
    values = {"operation": "echo", "guardrail": "max_error_rate", "verdict": verdict, "sentence": "a sentence"}
    return Finding(**{**values, "consequence": consequence, **changes})


def an_arm(keys: int = 100, bad_keys: int = 0, *, milliseconds: float = 20.0, **changes: Any) -> Arm:
    """One side whose keys each called once, all equally fast; seen before in the attempt, and never slower than now."""
    counts = {index_of(milliseconds): keys} if keys else {}
    before = {LOWEST: keys} if keys else {}
    values: dict[str, Any] = {"calls": keys, "bad": bad_keys, "keys": keys, "bad_keys": bad_keys}
    return Arm(
        **{**values, "latency": counts, "key_latency": counts, "rise_from": before, "rise_to": counts, **changes}
    )


def a_bucket(candidate: Arm | None = None, baseline: Arm | None = None, *, share: int = 1000, start: int = 0) -> Bucket:
    """A sealed bucket whose calls were all assigned by one share."""
    sides = {"baseline": baseline or an_arm(), "candidate": candidate or an_arm()}
    return Bucket(start, (Stratum(share, **sides),), **sides)


def a_sample(evidence: Evidence | None = None, **changes: Any) -> Sample:
    """An operation at 1 % of which enough was heard a moment ago."""
    known = evidence or Evidence(baseline_keys=9900, candidate_keys=1000, keys_at={1000: (9900, 1000)}, newest=0)
    values: dict[str, Any] = {"operation": "echo", "baseline_name": "python_pool_v2", "candidate_name": "snakepit"}
    sides = {"baseline": an_arm(), "candidate": an_arm()}
    return Sample(**{**values, "share": 1000, **sides, "evidence": known, "silent_seconds": 30.0, **changes})


def a_cell(**changes: Any) -> dict[str, Any]:
    """A healthy minute's worth of one side; latency follows `calls`, keys follow calls and were all seen before."""
    calls = changes.get("calls", 100)
    errors = changes.get("errors", {})
    pending = changes.get("pending", 0)
    keys = changes.get("keys", calls)
    milliseconds = changes.pop("milliseconds", 20.0)
    index = str(index_of(milliseconds))
    cell = {
        "flag": "dspex-bridge",
        "operation": "echo",
        "side": "candidate",
        "backend": "snakepit",
        "attempt": 1,
        "assigned_by": "share",
        "share": 1000,
        "start": int(NOW.timestamp()),
        "calls": calls,
        "ok": calls - sum(errors.values()) - pending,
        "errors": errors,
        "pending": pending,
        "latency": {index: calls},
        "keys": keys,
        "bad_keys": min(keys, sum(errors.values()) + pending),
        "key_latency": {index: keys},
        "key_rise": {"from": {str(LOWEST): keys}, "to": {index: keys}},
    }
    return {**cell, **changes}


def a_report(*cells: dict[str, Any], sequence: int = 1, **changes: Any) -> Incoming:
    """A validated report as the edge hands it over."""
    head = {"instance": "i-1", "service": "bridge-api", "sdk": "throwbar-python/0.1.0", "source": "", "version": 0}
    values = {"environment": "production", **head, "sequence": sequence, **changes}
    body = {"schema": 1, **head, "sequence": sequence, "sent_at": NOW.timestamp(), "cells": list(cells)}
    return Incoming(**values, body=json.dumps(body).encode())
