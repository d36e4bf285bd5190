"""Buckets: what was reported, summed by the second it started in. Written by the one scheduler that folds.

Cells to which something may still be added have a row each; closed ones are packed (store/packs.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import JSON, Connection, Text, cast, delete, func, insert, or_, select, tuple_

from controlplane.domain import histogram
from controlplane.domain.arm import NO_HALVES, Arm, Halves, total
from controlplane.domain.flag import Side
from controlplane.domain.retention import Grain
from controlplane.domain.routing import SHADOW_CALL
from controlplane.store.cells import COUNTS, Place
from controlplane.store.packs import Packs
from controlplane.store.tables import buckets

__all__ = ["Buckets", "Heard", "Place"]


Sums = tuple[int, int, int]  # calls, bad and cancelled ones


class Heard(NamedTuple):
    """One side in one step: calls, how many were bad, and the quantile that was asked for in milliseconds."""

    calls: int
    bad: int
    latency_ms: float | None


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
            query = select(*_READ).where(
                buckets.c.environment_id == environment_id, tuple_(buckets.c.flag, buckets.c.start).in_(some)
            )
            cells = map(_cell, self._connection.execute(query))
            found.update(cell for cell in cells if cell[0] in wanted)
        return found

    def between(self, environment_id: int, flag: str, first: int, until: int) -> list[tuple[Place, Arm]]:
        """Every raw cell of a flag whose bucket starts in [first, until), in the order of time.

        A cell that was added to after it was packed comes in two parts.
        """
        return self.seen(environment_id, flag, first, until, Grain.RAW)

    def seen(self, environment_id: int, flag: str, first: int, until: int, grain: Grain) -> list[tuple[Place, Arm]]:
        """The same with what is closed at a coarser grain: for eyes, never for judgement."""
        packed = Packs(self._connection).between(environment_id, flag, grain, first, until)
        return sorted([*packed, *self._rows(environment_id, [flag], first, until)], key=_in_order)

    def shown(self, environment_id: int, flag: str, first: int, until: int, grain: Grain) -> list[tuple[Place, Arm]]:
        """The same for charts: what is packed comes without the histograms of its keys."""
        packed = Packs(self._connection).shown(environment_id, flag, grain, first, until)
        return sorted([*packed, *self._rows(environment_id, [flag], first, until)], key=_in_order)

    def summed(
        self, environment_id: int, flag: str, span: tuple[int, int], step: int, grain: Grain
    ) -> dict[tuple[str, Side], dict[int, Sums]]:
        """(Operation, side) → start of a step → sums of the cells in [first, until), whether they have a row or not.

        Without the calls that nobody waited for, and without looking at a histogram.
        """
        found: dict[tuple[str, Side], dict[int, Sums]] = {}
        packed = Packs(self._connection).tallied(environment_id, flag, grain, *span)
        for operation, side, assigned_by, start, *sums in (*packed, *self._tallied(environment_id, flag, span, step)):
            if assigned_by != SHADOW_CALL:
                steps = found.setdefault((operation, _SIDES[side]), {})
                at = start - start % step
                before = steps.get(at, (0, 0, 0))
                steps[at] = (before[0] + sums[0], before[1] + sums[1], before[2] + sums[2])
        return found

    def _tallied(
        self, environment_id: int, flag: str, span: tuple[int, int], step: int
    ) -> Iterator[tuple[str, str, str, int, int, int, int]]:
        columns, (first, until) = buckets.c, span
        named = (columns.operation, columns.side, columns.assigned_by, columns.start - columns.start % step)
        sums = (func.sum(columns.calls), func.sum(columns.bad), func.sum(columns.cancelled))
        query = (
            select(*named, *sums)
            .where(columns.environment_id == environment_id, columns.flag == flag)
            .where(columns.start >= first, columns.start < until)
            .group_by(*named)
        )
        for *where, calls, bad, cancelled in self._connection.execute(query):
            yield *where, int(calls), int(bad), int(cancelled)  # PostgreSQL sums to decimals

    def unpacked(
        self, environment_id: int, flags: Mapping[str, int], first: int, until: int
    ) -> dict[str, list[tuple[Place, Arm]]]:
        """Flag → its raw cells in [first, until), in the order of time: those of them that have a row.

        `flags` says from which start on the cells of each come whole. Those before come with their calls and latency
        alone, which is all that a window shows: a third of the work.
        """
        columns, since = buckets.c, _by_value(flags)
        here = (columns.environment_id == environment_id) & (columns.start < until)
        new = or_(*(columns.flag.in_(some) & (columns.start >= max(at, first)) for at, some in since.items()))
        old = or_(*(columns.flag.in_(some) & (columns.start < at) for at, some in since.items()))
        whole = self._connection.execute(select(*_READ).where(here, new)).all()
        called = self._connection.execute(select(*_CALLED).where(here, columns.start >= first, old)).all()
        found: dict[str, list[tuple[Place, Arm]]] = {flag: [] for flag in flags}
        for cell in sorted([*map(_cell, whole), *map(_calls, called)], key=_in_order):
            found[cell[0].flag].append(cell)
        return found

    def _rows(self, environment_id: int, flags: Sequence[str], first: int, until: int) -> Iterator[tuple[Place, Arm]]:
        query = (
            select(*_READ)
            .where(buckets.c.environment_id == environment_id, buckets.c.flag.in_(flags))
            .where(buckets.c.start >= first, buckets.c.start < until)
        )
        return map(_cell, self._connection.execute(query))

    def counted(
        self, environment_id: int, flags: Sequence[str], span: tuple[int, int], step: int, quantile: float
    ) -> dict[str, dict[str, dict[int, Heard]]]:
        """Flag → side → start of a step → what was heard, of the cells within [first, until) that have a row.

        Summed by the database; without the calls that nobody waited for.
        """
        columns, (first, until) = buckets.c, span
        at = columns.start - columns.start % step
        durations = func.aggregate_strings(cast(columns.latency, Text), ",")
        query = (
            select(columns.flag, columns.side, at, func.sum(columns.calls), func.sum(columns.bad), durations)
            .where(columns.environment_id == environment_id, columns.flag.in_(flags))
            .where(columns.start >= first, columns.start < until, columns.assigned_by != SHADOW_CALL)
            .group_by(columns.flag, columns.side, at)
        )
        found: dict[str, dict[str, dict[int, Heard]]] = {}
        for flag, side, start, calls, bad, texts in self._connection.execute(query):
            heard = Heard(int(calls), int(bad), _quantile_of(texts, quantile))
            found.setdefault(flag, {}).setdefault(side, {})[start] = heard
        return found

    def newest_by_flag(self, environment_id: int) -> dict[str, int]:
        """Flag → the start of its newest cell; to the day where it is packed."""
        found = Packs(self._connection).newest_by_flag(environment_id)
        query = select(buckets.c.flag, func.max(buckets.c.start)).where(buckets.c.environment_id == environment_id)
        for flag, start in self._connection.execute(query.group_by(buckets.c.flag)):
            found[flag] = max(start, found.get(flag, start))
        return found

    def oldest(self, before: int) -> tuple[int, Place] | None:
        """Environment and place of one of the first cells that have a row and start before an instant."""
        query = select(buckets.c.environment_id, *_READ).where(buckets.c.start < before).order_by(buckets.c.start)
        row = self._connection.execute(query.limit(1)).one_or_none()
        return (row[0], _cell(row[1:])[0]) if row else None

    def take(self, environment_id: int, flag: str, operation: str, first: int, until: int) -> list[tuple[Place, Arm]]:
        """The cells of one operation that have a row and start in [first, until); their rows are gone after it."""
        columns = buckets.c
        here = (columns.environment_id == environment_id) & (columns.flag == flag) & (columns.operation == operation)
        here &= (columns.start >= first) & (columns.start < until)
        taken = list(map(_cell, self._connection.execute(select(*_READ).where(here))))
        self._connection.execute(delete(buckets).where(here))
        return taken


def _by_value(flags: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for flag, value in flags.items():
        found.setdefault(value, []).append(flag)
    return found


def _in_order(cell: tuple[Place, Arm]) -> tuple[Any, ...]:
    place = cell[0]
    return place.start, place.operation, place.share, place.side, place.assigned_by


def _is(environment_id: int, place: Place) -> Any:  # noqa: ANN401 - a SQL condition
    columns = buckets.c
    condition = columns.environment_id == environment_id
    for name in Place.__slots__:
        condition = condition & (columns[name] == getattr(place, name))
    return condition


def _cell(row: Any) -> tuple[Place, Arm]:  # noqa: ANN401 - a row of `_READ`
    (flag, start, operation, attempt, side, backend, assigned_by, share, late, *counted) = row
    (calls, bad, cancelled, pending, errors, latency, keys, bad_keys, key_latency, *further) = counted
    (rise_from, rise_to, retries, fallbacks, unknown, shadow, ratio, halves, strayed_keys) = further
    arm = Arm(
        calls=calls,
        bad=bad,
        cancelled=cancelled,
        pending=pending,
        errors=_tally(errors),
        latency=_histogram(latency),
        keys=keys,
        bad_keys=bad_keys,
        key_latency=_histogram(key_latency),
        rise_from=_histogram(rise_from),
        rise_to=_histogram(rise_to),
        retries=retries,
        fallbacks=fallbacks,
        unknown=unknown,
        shadow=_tally(shadow) if shadow else {},
        ratio=_histogram(ratio) if ratio else {},
        halves=_halves(halves) if halves else NO_HALVES,
        strayed_keys=strayed_keys,
    )
    return Place(flag, start, operation, attempt, _SIDES[side], backend, assigned_by, share, late), arm


def _calls(row: Any) -> tuple[Place, Arm]:  # noqa: ANN401 - a row of `_CALLED`
    (flag, start, operation, attempt, side, backend, assigned_by, share, late, calls, bad, cancelled, latency) = row
    arm = Arm(calls, bad, cancelled, latency=_histogram(latency))
    return Place(flag, start, operation, attempt, _SIDES[side], backend, assigned_by, share, late), arm


_SIDES = {side.value: side for side in Side}
_histograms = msgspec.json.Decoder(list[dict[int, int]]).decode
_histogram = msgspec.json.Decoder(dict[int, int]).decode
_tally = msgspec.json.Decoder(dict[str, int]).decode
_halves = msgspec.json.Decoder(Halves).decode
# JSON comes as text: its keys are numbers, which only a typed decoder reads in one go. In the order of `_cell`.
_TEXTS = [cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in buckets.c]
_BY_NAME = {column.name: column for column in _TEXTS}
_READ = [_BY_NAME[name] for name in (*Place.__slots__, *(each.name for each in fields(Arm)))]
_CALLED = [_BY_NAME[name] for name in (*Place.__slots__, "calls", "bad", "cancelled", "latency")]


@lru_cache(maxsize=5_000)  # a list asks for the same steps every few seconds, and only the newest have changed
def _quantile_of(texts: str, quantile: float) -> float | None:
    return histogram.quantile_ms(histogram.merge(_histograms(f"[{texts}]")), quantile)


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
        "halves": arm.halves,
        "strayed_keys": arm.strayed_keys,
    }
