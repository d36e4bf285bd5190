"""Packs: closed telemetry at each grain, many cells of one operation in a row. Written by the scheduler that leads."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, not_, or_, select

from controlplane.domain.arm import Arm, total
from controlplane.domain.retention import Grain
from controlplane.store.cells import Cells, Place
from controlplane.store.pack_tables import packs
from controlplane.store.packing import ALL, SHOWN, pack, tallied, unpack

Range = tuple[int, int]  # starts from the first until before the second


class Packs:
    """The packs of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, environment_id: int, grain: Grain, cells: Cells) -> None:
        """Add cells of any start to what is there, summed to the grain."""
        by_row: dict[tuple[str, str, int], list[tuple[Place, Arm]]] = {}
        for place, arm in cells:
            row = (place.flag, place.operation, _floor(place.start, grain.packed_seconds))
            by_row.setdefault(row, []).append((replace(place, start=_floor(place.start, grain.seconds)), arm))
        for (flag, operation, start), new in by_row.items():
            here = _at(environment_id, flag, grain) & (packs.c.start == start) & (packs.c.operation == operation)
            before = self._connection.execute(select(packs.c.body).where(here)).scalar_one_or_none()
            known = unpack(before, flag, operation) if before else []
            self._connection.execute(delete(packs).where(here))
            key = {"environment_id": environment_id, "flag": flag, "grain": grain.value, "start": start}
            body = pack(_summed([*known, *new]))
            self._connection.execute(insert(packs).values(**key, operation=operation, body=body))

    def between(self, environment_id: int, flag: str, grain: Grain, first: int, until: int) -> list[tuple[Place, Arm]]:
        """Every packed cell of a flag that starts in [first, until)."""
        return self._between(environment_id, flag, grain, (first, until), ALL)

    def shown(self, environment_id: int, flag: str, grain: Grain, first: int, until: int) -> list[tuple[Place, Arm]]:
        """The same without the histograms of the keys: a third of the work."""
        return self._between(environment_id, flag, grain, (first, until), SHOWN)

    def tallied(
        self, environment_id: int, flag: str, grain: Grain, first: int, until: int
    ) -> Iterator[tuple[str, str, str, int, int, int, int]]:
        """Operation, and what `packing.tallied` says of each cell that starts in [first, until)."""
        for operation, body in self._bodies(environment_id, flag, grain, (first, until)):
            for cell in tallied(body):
                if first <= cell[2] < until:
                    yield operation, *cell

    def _between(
        self, environment_id: int, flag: str, grain: Grain, span: Range, histograms: Collection[str]
    ) -> list[tuple[Place, Arm]]:
        first, until = span
        bodies = self._bodies(environment_id, flag, grain, span)
        found = (cell for operation, body in bodies for cell in unpack(body, flag, operation, histograms))
        return [cell for cell in found if first <= cell[0].start < until]

    def _bodies(self, environment_id: int, flag: str, grain: Grain, span: Range) -> Iterator[tuple[str, bytes]]:
        first, until = span
        query = select(packs.c.operation, packs.c.body).where(
            _at(environment_id, flag, grain),
            packs.c.start >= _floor(first, grain.packed_seconds),
            packs.c.start < until,
        )
        return ((row.operation, row.body) for row in self._connection.execute(query))

    def newest_by_flag(self, environment_id: int) -> dict[str, int]:
        """Flag → the start of its newest pack by the hour."""
        here = and_(packs.c.environment_id == environment_id, packs.c.grain == Grain.HOUR.value)
        query = select(packs.c.flag, func.max(packs.c.start)).where(here).group_by(packs.c.flag)
        return {flag: int(start) for flag, start in self._connection.execute(query)}

    def flags(self) -> list[tuple[int, str]]:
        """(environment, flag) of everything that is packed."""
        query = select(packs.c.environment_id, packs.c.flag).distinct()
        return [(row.environment_id, row.flag) for row in self._connection.execute(query)]

    def forget(self, environment_id: int, flag: str, grain: Grain, before: int, spared: Sequence[Range] = ()) -> int:
        """Drop packs that end before an instant, but for those that hold a part of a spared range; how many."""
        length, start = grain.packed_seconds, packs.c.start
        kept = [and_(start > first - length, start < until) for first, until in spared]
        past = _at(environment_id, flag, grain) & (start <= before - length)
        statement = delete(packs).where(past, not_(or_(*kept))) if kept else delete(packs).where(past)
        return self._connection.execute(statement).rowcount


def _at(environment_id: int, flag: str, grain: Grain) -> Any:  # noqa: ANN401 - a SQL condition
    return and_(packs.c.environment_id == environment_id, packs.c.flag == flag, packs.c.grain == grain.value)


def _floor(start: int, length: int) -> int:
    return start - start % length


def _summed(cells: Iterable[tuple[Place, Arm]]) -> list[tuple[Place, Arm]]:
    arms: dict[Place, list[Arm]] = {}
    for place, arm in cells:
        arms.setdefault(place, []).append(arm)
    return [(place, each[0] if len(each) == 1 else total(each)) for place, each in arms.items()]
