"""Buckets: what was reported, summed by the second it started in. Written by the one scheduler that folds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, tuple_

from controlplane.domain.flag import Side
from controlplane.domain.observation import Arm, total
from controlplane.store.tables import buckets

_COUNTS = ("calls", "bad", "cancelled", "pending", "keys", "bad_keys", "retries", "fallbacks", "unknown")
_AT_ONCE = 50  # places asked for in one query: SQLite limits the variables of a statement


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


class Buckets:
    """Summed cells of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, environment_id: int, cells: Mapping[Place, Arm]) -> None:
        """Add counts to what is there. Safe because one folder at a time holds the lease."""
        known = self._at(environment_id, cells)
        for place in known:
            self._connection.execute(delete(buckets).where(_is(environment_id, place)))
        rows = [
            _values(environment_id, place, total([arm, known[place]]) if place in known else arm)
            for place, arm in cells.items()
        ]
        if rows:
            self._connection.execute(insert(buckets), rows)

    def _at(self, environment_id: int, places: Iterable[Place]) -> dict[Place, Arm]:
        wanted = set(places)
        starts = sorted({(place.flag, place.start) for place in wanted})
        found: dict[Place, Arm] = {}
        for first in range(0, len(starts), _AT_ONCE):
            some = starts[first : first + _AT_ONCE]
            query = select(buckets).where(
                buckets.c.environment_id == environment_id, tuple_(buckets.c.flag, buckets.c.start).in_(some)
            )
            found.update((_place(row), _arm(row)) for row in self._connection.execute(query) if _place(row) in wanted)
        return found

    def between(self, environment_id: int, flag: str, first: int, until: int) -> list[tuple[Place, Arm]]:
        """Every cell of a flag whose bucket starts in [first, until), in the order of time."""
        query = (
            select(buckets)
            .where(buckets.c.environment_id == environment_id, buckets.c.flag == flag)
            .where(buckets.c.start >= first, buckets.c.start < until)
            .order_by(buckets.c.start, buckets.c.operation, buckets.c.share, buckets.c.side, buckets.c.assigned_by)
        )
        return [(_place(row), _arm(row)) for row in self._connection.execute(query)]

    def forget_before(self, start: int) -> int:
        """How many rows were older and are gone."""
        return self._connection.execute(delete(buckets).where(buckets.c.start < start)).rowcount


def _is(environment_id: int, place: Place) -> Any:  # noqa: ANN401 - a SQL condition
    columns = buckets.c
    condition = columns.environment_id == environment_id
    for name in Place.__slots__:
        condition = condition & (columns[name] == getattr(place, name))
    return condition


def _place(row: Any) -> Place:  # noqa: ANN401 - a row of `buckets`
    return Place(
        row.flag,
        row.start,
        row.operation,
        row.attempt,
        Side(row.side),
        row.backend,
        row.assigned_by,
        row.share,
        row.late,
    )


def _arm(row: Any) -> Arm:  # noqa: ANN401 - a row of `buckets`
    return Arm(
        calls=row.calls,
        bad=row.bad,
        cancelled=row.cancelled,
        pending=row.pending,
        errors=row.errors,
        latency=_histogram(row.latency),
        keys=row.keys,
        bad_keys=row.bad_keys,
        key_latency=_histogram(row.key_latency),
        rise_from=_histogram(row.rise_from),
        rise_to=_histogram(row.rise_to),
        retries=row.retries,
        fallbacks=row.fallbacks,
        unknown=row.unknown,
        shadow=row.shadow or {},
        ratio=_histogram(row.ratio or {}),
    )


def _histogram(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(index): count for index, count in stored.items()}


def _values(environment_id: int, place: Place, arm: Arm) -> dict[str, Any]:
    return {
        "environment_id": environment_id,
        **{name: getattr(place, name) for name in Place.__slots__},
        "side": place.side.value,
        **{name: getattr(arm, name) for name in _COUNTS},
        "errors": dict(arm.errors),
        "latency": dict(arm.latency),
        "key_latency": dict(arm.key_latency),
        "rise_from": dict(arm.rise_from),
        "rise_to": dict(arm.rise_to),
        "shadow": dict(arm.shadow),
        "ratio": dict(arm.ratio),
    }
