"""Buckets: what was reported, summed by the second it started in. Written by the one scheduler that folds.

Cells to which something may still be added have a row each; closed ones are packed (store/packs.py).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, tuple_

from controlplane.domain.flag import Side
from controlplane.domain.observation import Arm, total
from controlplane.domain.retention import Grain
from controlplane.store.cells import COUNTS, Place
from controlplane.store.packs import Packs
from controlplane.store.tables import buckets

__all__ = ["Buckets", "Place"]

_AT_ONCE = 50  # places asked for in one query: SQLite limits the variables of a statement


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
        """Every raw cell of a flag whose bucket starts in [first, until), in the order of time.

        A cell that was added to after it was packed comes in two parts.
        """
        return self.seen(environment_id, flag, first, until, Grain.RAW)

    def seen(self, environment_id: int, flag: str, first: int, until: int, grain: Grain) -> list[tuple[Place, Arm]]:
        """The same with what is closed at a coarser grain: for eyes, never for judgement."""
        packed = Packs(self._connection).between(environment_id, flag, grain, first, until)
        query = (
            select(buckets)
            .where(buckets.c.environment_id == environment_id, buckets.c.flag == flag)
            .where(buckets.c.start >= first, buckets.c.start < until)
        )
        found = [*packed, *((_place(row), _arm(row)) for row in self._connection.execute(query))]
        return sorted(found, key=_in_order)

    def oldest(self, before: int) -> tuple[int, Place] | None:
        """Environment and place of one of the first cells that have a row and start before an instant."""
        query = select(buckets).where(buckets.c.start < before).order_by(buckets.c.start).limit(1)
        row = self._connection.execute(query).one_or_none()
        return (row.environment_id, _place(row)) if row else None

    def take(self, environment_id: int, flag: str, operation: str, first: int, until: int) -> list[tuple[Place, Arm]]:
        """The cells of one operation that have a row and start in [first, until); their rows are gone after it."""
        columns = buckets.c
        here = (columns.environment_id == environment_id) & (columns.flag == flag) & (columns.operation == operation)
        here &= (columns.start >= first) & (columns.start < until)
        taken = [(_place(row), _arm(row)) for row in self._connection.execute(select(buckets).where(here))]
        self._connection.execute(delete(buckets).where(here))
        return taken


def _in_order(cell: tuple[Place, Arm]) -> tuple[Any, ...]:
    place = cell[0]
    return place.start, place.operation, place.share, place.side, place.assigned_by


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
        **{name: getattr(arm, name) for name in COUNTS},
        "errors": dict(arm.errors),
        "latency": dict(arm.latency),
        "key_latency": dict(arm.key_latency),
        "rise_from": dict(arm.rise_from),
        "rise_to": dict(arm.rise_to),
        "shadow": dict(arm.shadow),
        "ratio": dict(arm.ratio),
    }
