"""Callers: which service called the baseline of an operation last, and where its code registers it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from controlplane.store.caller_tables import baseline_callers

_FIELDS = ("flag", "operation", "service", "last_at", "instance", "assigned_by", "sites")


@dataclass(frozen=True, slots=True)
class Caller:
    """`last_at` is the start of the last bucket with a call to the baseline, exact to a few minutes.

    `sites` are the places in the code of that instance that register the operation; empty if it never told any.
    """

    flag: str
    operation: str
    service: str
    last_at: datetime
    instance: str
    assigned_by: str
    sites: Sequence[Mapping[str, Any]] = ()


class Callers:
    """The last calls to the baselines of all environments. Written by the one scheduler that folds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, environment_id: int, flags: Collection[str]) -> list[Caller]:
        """Of some flags, the newest first."""
        columns = baseline_callers.c
        query = select(baseline_callers).where(columns.environment_id == environment_id, columns.flag.in_(flags))
        rows = self._connection.execute(query.order_by(columns.last_at.desc()))
        return [Caller(**{name: getattr(row, name) for name in _FIELDS}) for row in rows]

    def save(self, environment_id: int, callers: Collection[Caller]) -> None:
        columns = baseline_callers.c
        for each in callers:
            here = (columns.environment_id == environment_id) & (columns.flag == each.flag)
            here &= (columns.operation == each.operation) & (columns.service == each.service)
            self._connection.execute(delete(baseline_callers).where(here))
            values = {name: getattr(each, name) for name in _FIELDS}
            values["sites"] = list(each.sites)
            self._connection.execute(insert(baseline_callers).values(environment_id=environment_id, **values))
