"""How does the evidence of a backtest look over time? Pure: its series and events → places in a picture."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

WIDTH, HEIGHT = 1000.0, 120.0
MOST = math.log(1e12)
_TENFOLD = math.log(10)
_FEW_LINES = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A level of evidence: `y` in pixels from the top, "1 in `one_in`"."""

    y: float
    one_in: int


@dataclass(frozen=True, slots=True)
class Mark:
    """An event: `x` in percent of the width, `kind` as in the backtest."""

    x: float
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """`points` of one line, WIDTH by HEIGHT; `levels` are powers of ten, `limit` the line that rolls back."""

    points: str
    levels: tuple[Line, ...]
    limit: Line
    marks: tuple[Mark, ...]
    begins: datetime
    ends: datetime


def picture(found: Mapping[str, Any]) -> Picture | None:
    """The flag's evidence on a scale of powers of ten; None where there is nothing to draw."""
    series = found["series"]
    known = [
        (at, min(MOST, max(0.0, each)))
        for at, each in zip(series["times"], series["overall"], strict=True)
        if each is not None
    ]
    if len(known) < 2:  # a point is no line
        return None
    limit = found["log_limit"]
    top = 1.15 * max(limit, *(each for _, each in known))
    marks = [(datetime.fromisoformat(each["at"]).timestamp(), each["kind"]) for each in found["events"]]
    first, last = known[0][0], max(known[-1][0], *(at for at, _ in marks), known[0][0] + 1)
    points = (f"{WIDTH * (at - first) / (last - first):.1f},{_y(each, top):.1f}" for at, each in known)
    return Picture(
        " ".join(points),
        tuple(_levels(top)),
        Line(_y(limit, top), round(math.exp(limit))),
        tuple(Mark(round(min(100.0, max(0.0, 100 * (at - first) / (last - first))), 2), kind) for at, kind in marks),
        datetime.fromtimestamp(first, UTC),
        datetime.fromtimestamp(last, UTC),
    )


def _y(log_evidence: float, top: float) -> float:
    return round(HEIGHT * (1 - log_evidence / top), 1)


def _levels(top: float) -> Sequence[Line]:
    powers = range(int(top / _TENFOLD) + 1)
    step = max(1, len(powers) // _FEW_LINES)
    return [Line(_y(power * _TENFOLD, top), 10**power) for power in powers[::step]]
