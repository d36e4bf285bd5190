"""Cells: what is counted together, as one row of telemetry is told from another."""

from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.domain.arm import Arm
from controlplane.domain.flag import Side

COUNTS = ("calls", "bad", "cancelled", "pending", "keys", "bad_keys", "retries", "fallbacks", "unknown")


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls are counted: the key of a cell, and whether it came after its bucket was judged."""

    flag: str
    start: int
    operation: str
    attempt: int
    side: Side
    backend: str
    assigned_by: str
    share: int
    late: bool = False


Cells = Sequence[tuple[Place, Arm]]
