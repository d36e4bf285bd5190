"""Backlog: the writes of a flag that one side's store misses, as reports tell, until they are said to be reconciled."""

from controlplane.domain.flag import Flag
from controlplane.domain.phases import Backlog
from controlplane.store import UnitOfWork


def backlog_of(uow: UnitOfWork, environment_id: int, flag: Flag) -> Backlog:
    """Of the operations that the plan moves. A write of which no side was told counts as missing at both."""
    planned = set(flag.planned_operations)
    known = [each for each in uow.examples.divergences(environment_id, flag.key) if each.operation in planned]
    return Backlog(sum(each.baseline_backlog for each in known), sum(each.candidate_backlog for each in known))
