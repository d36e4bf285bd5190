"""Retention: at which grain telemetry is kept, for how long, and at which grain it is read."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Grain(StrEnum):
    """How long a stretch one cell covers. Raw cells are as long as the buckets were when they were reported."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"

    @property
    def seconds(self) -> int:
        """What the start of a cell is a multiple of; 1 for raw cells, which keep their own."""
        return _SECONDS[self]

    @property
    def packed_seconds(self) -> int:
        """The stretch whose cells of one operation are kept in one row. Never change: it is a part of the rows' key."""
        return _PACKED[self]


_SECONDS = {Grain.RAW: 1, Grain.MINUTE: 60, Grain.HOUR: 3_600}
_PACKED = {Grain.RAW: 600, Grain.MINUTE: 3_600, Grain.HOUR: 86_400}
# Beyond them a chart has more than enough points at the next grain, and would read too many cells at this one.
_LONGEST_RAW = 7_200
_LONGEST_MINUTES = 172_800


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each grain is kept, and raw cells around an automatic decision."""

    raw: timedelta = timedelta(hours=48)
    minutes: timedelta = timedelta(days=14)
    hours: timedelta = timedelta(days=400)
    decisions: timedelta = timedelta(days=90)


def grain_for(length: float, age: timedelta, retention: Retention) -> Grain:
    """The finest grain that a stretch of `length` seconds can be shown at, whose beginning is `age` ago."""
    if length <= _LONGEST_RAW and age <= retention.raw:
        return Grain.RAW
    if length <= _LONGEST_MINUTES and age <= retention.minutes:
        return Grain.MINUTE
    return Grain.HOUR
