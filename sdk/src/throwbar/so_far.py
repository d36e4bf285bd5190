"""What have the keys of an operation come to that no report has told of yet? For the control plane, in an outage.

Read from cells while they are written: no cell is sealed, and no call waits. Each count is a copy of a moment.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from throwbar.bulletin import InUse
from throwbar.cell import REFUSED, Cell
from throwbar.circuit import Mode, State
from throwbar.guard import Guard
from throwbar.harvest import sort_strays
from throwbar.tally import Tally
from throwbar.taxonomy import Category

Operation = tuple[str, str]  # flag, operation


class Keys(NamedTuple):
    """Those of one side: seen, bad, and bad because the backend itself failed."""

    seen: set[str]
    bad: set[str]
    failed: set[str]

    def document(self, mask: int) -> dict[str, int]:
        return {
            "keys": _count(self.seen, mask),
            "bad_keys": _count(self.bad, mask),
            "failed_keys": _count(self.failed, mask),
        }


class Outages:
    """What there is to tell of operations whose breakers are open. For one thread.

    Once a breaker is open, keys are turned away and do not fail: how many failed before is remembered until it closes.
    """

    def __init__(self) -> None:
        self._failed: dict[Operation, int] = {}

    def told(self, tally: Tally, operations: Collection[Operation]) -> dict[Operation, dict[str, Any]]:
        """By operation, of those that have open breakers now."""
        found = so_far(tally, operations) if operations else {}
        self._failed = {each: self._most(each, found.get(each)) for each in operations}
        for operation, document in found.items():
            candidate = document["candidate"]
            candidate["failed_keys"] = min(self._failed[operation], candidate["bad_keys"])
        return found

    def _most(self, operation: Operation, document: dict[str, Any] | None) -> int:
        return max(self._failed.get(operation, 0), document["candidate"]["failed_keys"] if document else 0)


def open_guards(bindings: Collection[InUse]) -> list[tuple[Operation, Guard]]:
    """Of the candidates whose breakers their calls have opened, and which are not closed again."""
    return [
        ((binding.flag, binding.operation), guard)
        for binding in bindings
        for guard in binding.guards
        if guard.candidate and guard.breaker.mode is Mode.AUTOMATIC and guard.state != State.CLOSED
    ]


def so_far(tally: Tally, operations: Collection[Operation]) -> dict[Operation, dict[str, Any]]:
    """What the share drew to both sides, in the newest attempt there are cells of."""
    sort_strays(tally)
    cells: dict[Operation, list[Cell]] = {}
    for thread in list(tally.threads):
        for cell in list(thread.live):
            plan = cell.choice.plan
            if cell.choice.assigned_by == "share" and (plan.flag, plan.operation) in operations:
                cells.setdefault((plan.flag, plan.operation), []).append(cell)
    return {operation: _document(own) for operation, own in cells.items()}


def _document(cells: list[Cell]) -> dict[str, Any]:
    attempt = max(cell.choice.plan.attempt for cell in cells)
    own = [cell for cell in cells if cell.choice.plan.attempt == attempt]
    mask = 0
    sides = {side: Keys(set(), set(), set()) for side in ("baseline", "candidate")}
    for cell in own:
        mask |= cell.mask
        _add(sides[cell.choice.side], cell)
    start = max(cell.start for cell in own)
    return {"attempt": attempt, "start": start} | {side: keys.document(mask) for side, keys in sides.items()}


def _add(keys: Keys, cell: Cell) -> None:
    """Copied whole before they are looked at: another thread goes on writing."""
    keys.seen.update(cell.keys.copy())
    keys.bad.update(cell.bad.copy())
    keys.failed.update(cell.failed.copy())
    for stray in cell.strays:
        if stray.key is None or stray.category == Category.CANCELLED:
            continue
        keys.seen.add(stray.key)
        if stray.pending or stray.category is not None:
            keys.bad.add(stray.key)
        if stray.pending or stray.category not in (None, REFUSED):
            keys.failed.add(stray.key)


def _count(keys: set[str], mask: int) -> int:
    return sum(not hash(key) & mask for key in keys)
