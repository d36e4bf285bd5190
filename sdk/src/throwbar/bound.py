"""What is in force for an operation, and what is known of a call that has begun under it?"""

from __future__ import annotations

from throwbar.cell import Cell
from throwbar.circuit import Permit
from throwbar.decision import Choice
from throwbar.guard import Guard
from throwbar.plan import OperationPlan
from throwbar.snapshot import Snapshot


class Bound:
    """One plan in force, and the guards of its two backends."""

    __slots__ = ("acting", "guards", "plan", "snapshot")

    def __init__(self, snapshot: Snapshot, plan: OperationPlan, guards: tuple[Guard, Guard], *, acting: bool) -> None:
        self.snapshot = snapshot
        self.plan = plan
        self.guards = guards
        self.acting = acting


# What was chosen, the guard and permit of its backend, where it is counted (None: nowhere) and under which number,
# the key, and when it started.
Opened = tuple[Choice, Bound, Permit, Cell | None, int, str | None, int]
