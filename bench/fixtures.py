"""What do the benchmarks run on? A fleet's snapshot, and keys that never repeat within a round."""

from typing import Any

KEYS = [f"session-{number:08d}" for number in range(50_000)]


def document(flags: int, version: int = 1, share: int = 10_000) -> dict[str, Any]:
    """A snapshot as it comes over the wire: two operations a flag, none of them settled."""
    return {
        "schema": 1,
        "environment": "bench",
        "source": "bench",
        "version": version,
        "bucketing": "flagd-v3",
        "telemetry": {"bucket_seconds": 10, "outcome_deadline_seconds": 10},
        "flags": {f"flag-{number}": _flag(share) for number in range(flags)},
    }


def _flag(share: int) -> dict[str, Any]:
    operation = {"share": share, "mode": "single", "rolled_back": False}
    return {
        "kind": "migration",
        "baseline": "python_pool_v2",
        "candidate": "snakepit",
        "enabled": True,
        "rolled_back": False,
        "attempt": 1,
        "rules": [],
        "operations": {"echo": dict(operation), "simple_predict": dict(operation)},
    }
