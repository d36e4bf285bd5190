"""Moving: may the data of a flag go where a change would bring them, by what reports have told?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain.convergence import GONE_AFTER
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import needs_backlog, refusal
from controlplane.domain.phases import Phase
from controlplane.domain.routing import CallKind, Mode
from controlplane.store import UnitOfWork
from controlplane.usecases.backlog import backlog_of

_DECIDES_ONLY = frozenset({"attempt", "decide"})  # nothing that could be called at the other side as well


@dataclass(frozen=True, slots=True)
class Move:
    """A flag before and after a change, and when."""

    before: Flag
    after: Flag
    now: datetime

    @property
    def is_onward(self) -> bool:
        return self.after.rollout.phase.place > self.before.rollout.phase.place


def obstacle_of(
    uow: UnitOfWork, environment_id: int, move: Move, *, brake: bool = False, confirmed: bool = False
) -> str | None:
    """Why a change is refused for the sake of the data; nothing is read where no phase is left."""
    if not needs_backlog(move.before, move.after):
        return refusal(move.before, move.after, brake=brake, confirmed=confirmed)
    backlog = backlog_of(uow, environment_id, move.after)
    why = refusal(move.before, move.after, backlog, brake=brake, confirmed=confirmed)
    if why or not move.is_onward or move.after.rollout.phase is Phase.COMPLETE:
        return why
    return next(_misfits(uow, environment_id, move), None)


def _misfits(uow: UnitOfWork, environment_id: int, move: Move) -> Iterator[str]:
    """Operations that live services register as something else than the flag says: writes would go to one side only."""
    flag = move.after
    live = [each for each in uow.instances.all(environment_id) if move.now - each.last_seen_at < GONE_AFTER]
    for instance in live:
        for site in instance.sites:
            operation = flag.operations.get(site["operation"]) if site["flag"] == flag.key else None
            if operation is None or site["operation"] not in flag.planned_operations:
                continue
            if why := _misfit(operation.kind, site):
                yield f"'{site['operation']}' {why}: {instance.service} registers it at {site['place']}"


def _misfit(kind: CallKind | None, site: Mapping[str, Any]) -> str | None:
    modes = site.get("modes") or ([Mode.SINGLE] if site["call"] in _DECIDES_ONLY else None)
    if modes is None:  # an older SDK does not tell
        return None
    if kind is CallKind.WRITE and Mode.DUAL_WRITE not in modes:
        return "cannot be written to both stores as the code has it (IDEMPOTENT_WRITE, or WRITE with dual_write=True)"
    if kind is CallKind.READ and Mode.DUAL_WRITE in modes:
        return "is a write in the code, and the flag calls it a read"
    return None
