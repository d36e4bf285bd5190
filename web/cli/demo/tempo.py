"""How fast the demo's clocks run, and the flag that it creates for them."""

from dataclasses import dataclass
from typing import Any

from web.cli.demo.bridge import FLAG, OPERATIONS
from web.cli.demo.run import BASELINE, CANDIDATE

PERCENTS = (1, 10, 50, 98)
FAULT_STAGE = 50  # percent: enough keys on both sides that both are seen at once


@dataclass(frozen=True, slots=True)
class Tempo:
    """All in seconds. `fault_after` counts from entering the fault's stage; `limit` is when a story is given up."""

    tick: float
    bucket: int
    seal: int
    poll: float
    report: float
    bake: int
    fault_after: float
    afterwards: float
    limit: float

    def environment(self) -> dict[str, str]:
        """The server's settings for these clocks."""
        return {
            "THROWBAR_TICK_SECONDS": f"{self.tick:g}",
            "THROWBAR_BUCKET_SECONDS": str(self.bucket),
            "THROWBAR_SEAL_SECONDS": str(self.seal),
        }


HEADLESS = Tempo(tick=1, bucket=1, seal=2, poll=1, report=0.5, bake=10, fault_after=2, afterwards=5, limit=180)
WATCHED = Tempo(tick=1, bucket=1, seal=2, poll=1, report=0.5, bake=45, fault_after=30, afterwards=60, limit=600)
REAL_TIME = Tempo(tick=5, bucket=10, seal=20, poll=10, report=5, bake=60, fault_after=10, afterwards=10, limit=900)


def flag_document(tempo: Tempo) -> dict[str, Any]:
    """The migration, its limits and its plan, as the management API takes them."""
    return {
        "key": FLAG,
        "kind": "migration",
        "description": "The Python bridge moves from python_pool_v2 to snakepit",
        "owner": "ml-platform",
        "tags": ["demo"],
        "baseline": BASELINE,
        "candidate": CANDIDATE,
        "enabled": True,
        "operations": {name: {"percent": 0} for name in OPERATIONS},
        "guardrails": {
            "window_seconds": max(30, 3 * tempo.bucket),
            "min_samples": 10,
            "max_error_rate": 0.05,
            "max_latency_ms": {"p99": 1000},
            # Both backends answer in well under a millisecond, where twice as long is only a colder cache.
            "compare": {"latency_ratio": 4},
        },
        "plan": {"stages": [{"percent": percent, "bake_seconds": tempo.bake} for percent in PERCENTS]},
    }
