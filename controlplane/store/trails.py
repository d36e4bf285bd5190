"""Trails: the points that the scheduler leaves at its looks, at the grain they are old enough for."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, tuple_

from controlplane.domain.retention import Grain
from controlplane.domain.trail import Mark, Point, thinned
from controlplane.store.trail_tables import trail

_Numbers = tuple[float, float, int, int, int, int]
_read = msgspec.json.Decoder(tuple[float, dict[str, _Numbers]]).decode
_DIGITS = 4  # of ln E: for eyes, never for judgement


class Trails:
    """The points of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, environment_id: int, points: Mapping[str, Point]) -> None:
        """One point for each flag; it takes the place of one of the same instant."""
        if not points:
            return
        columns = (trail.c.flag, trail.c.at, trail.c.attempt)
        here = [(flag, point.at, point.attempt) for flag, point in points.items()]
        ours = (trail.c.environment_id == environment_id) & (trail.c.grain == Grain.RAW.value)
        self._connection.execute(delete(trail).where(ours, tuple_(*columns).in_(here)))
        rows = [_values(environment_id, flag, Grain.RAW, point) for flag, point in points.items()]
        self._connection.execute(insert(trail), rows)

    def between(self, environment_id: int, flag: str, first: int, until: int) -> list[Point]:
        """Every point of a flag with first < at ≤ until, in the order of time."""
        query = (
            select(trail.c.at, trail.c.attempt, trail.c.body)
            .where(trail.c.environment_id == environment_id, trail.c.flag == flag)
            .where(trail.c.at > first, trail.c.at <= until)
            .order_by(trail.c.at, trail.c.attempt)
        )
        return [_point(*row) for row in self._connection.execute(query)]

    def thin(self, environment_id: int, flag: str, fine: Grain, coarse: Grain, before: int) -> int:
        """Points of a finer grain up to an instant become points of a coarser one; how many there were."""
        old = (trail.c.environment_id == environment_id) & (trail.c.flag == flag) & (trail.c.grain == fine.value)
        old &= trail.c.at <= before // coarse.seconds * coarse.seconds
        points = [_point(*row) for row in self._connection.execute(select(*_READ).where(old))]
        if points:
            rows = [_values(environment_id, flag, coarse, each) for each in thinned(points, coarse.seconds)]
            self._connection.execute(delete(trail).where(old))
            self._connection.execute(insert(trail), rows)
        return len(points)

    def forget(self, environment_id: int, flag: str, before: int) -> int:
        """Drop the points before an instant; how many."""
        old = (trail.c.environment_id == environment_id) & (trail.c.flag == flag) & (trail.c.at < before)
        return self._connection.execute(delete(trail).where(old)).rowcount


_READ = (trail.c.at, trail.c.attempt, trail.c.body)


def _point(at: int, attempt: int, body: bytes) -> Point:
    overall, marks = _read(body)
    return Point(at, attempt, overall, {name: Mark(*numbers) for name, numbers in marks.items()})


def _values(environment_id: int, flag: str, grain: Grain, point: Point) -> dict[str, Any]:
    marks = {name: _numbers(each) for name, each in point.marks.items()}
    return {
        "environment_id": environment_id,
        "flag": flag,
        "grain": grain.value,
        "at": point.at,
        "attempt": point.attempt,
        "body": msgspec.json.encode((round(point.overall, _DIGITS), marks)),
    }


def _numbers(mark: Mark) -> _Numbers:
    logs = (round(mark.errors, _DIGITS), round(mark.latency, _DIGITS))
    return (*logs, mark.baseline_bad, mark.baseline_keys, mark.candidate_bad, mark.candidate_keys)
