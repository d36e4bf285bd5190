"""How are both sides of many flags drawn small? Pure: counts over time → the points of a line, and two rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 120.0, 28.0
LEAST_TOP = 0.02  # so that one failure in a quiet night is no mountain

Counts = Mapping[int, tuple[int, int]]  # step → (calls, bad)


@dataclass(frozen=True, slots=True)
class Line:
    """One side: its line as pieces of SVG points, its rate over all of it, and its calls."""

    pieces: tuple[str, ...]
    rate: float | None
    calls: int


@dataclass(frozen=True, slots=True)
class Spark:
    baseline: Line
    candidate: Line

    @property
    def is_empty(self) -> bool:
        return not self.baseline.calls and not self.candidate.calls


def spark(sides: Mapping[str, Counts], steps: Sequence[int]) -> Spark:
    """Error rates of both sides on one scale."""
    rates = {side: _rates(sides.get(side, {}), steps) for side in ("baseline", "candidate")}
    top = max([LEAST_TOP, *(rate for each in rates.values() for rate in each if rate is not None)])
    lines = {side: _line(sides.get(side, {}), rates[side], top) for side in rates}
    return Spark(lines["baseline"], lines["candidate"])


def _rates(counts: Counts, steps: Sequence[int]) -> list[float | None]:
    known = (counts.get(step) for step in steps)
    return [each[1] / each[0] if each and each[0] else None for each in known]


def _line(counts: Counts, rates: Sequence[float | None], top: float) -> Line:
    calls, bad = (sum(each[number] for each in counts.values()) for number in (0, 1))
    return Line(tuple(pieces(rates, top, WIDTH, HEIGHT)), bad / calls if calls else None, calls)


def pieces(values: Sequence[float | None], top: float, width: float, height: float) -> list[str]:
    """Unbroken stretches of a series as SVG points; a gap is a gap."""
    apart = width / max(1, len(values) - 1)
    found: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            y = height - 1 - (height - 2) * min(1.0, value / top)
            found[-1].append(f"{number * apart:.1f},{y:.1f}")
    return [" ".join(_visible(each)) for each in found if each]


def _visible(points: list[str]) -> list[str]:
    """A single point is no line: it becomes a short one."""
    if len(points) > 1:
        return points
    x, y = points[0].split(",")
    return [points[0], f"{float(x) + 1:.1f},{y}"]
