"""How are both sides of many flags drawn small? Pure: what was heard over time → the points of lines, and numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH, HEIGHT = 120.0, 28.0
LEAST_RATE = 0.02  # so that one failure in a quiet night is no mountain
LEAST_MS = 1.0


class Heard(Protocol):
    """One side in one step."""

    @property
    def calls(self) -> int: ...
    @property
    def bad(self) -> int: ...
    @property
    def latency_ms(self) -> float | None: ...


Counts = Mapping[int, Heard]  # by the start of a step
Measure = Callable[[Heard], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One side: its line as pieces of SVG points, and the number that stands below it."""

    pieces: tuple[str, ...]
    value: float | None


@dataclass(frozen=True, slots=True)
class Spark:
    baseline: Line
    candidate: Line


@dataclass(frozen=True, slots=True)
class Sparks:
    """Error rates, with the rate over all steps; latencies, with the newest."""

    errors: Spark
    latency: Spark

    @property
    def is_empty(self) -> bool:
        return not self.errors.baseline.pieces and not self.errors.candidate.pieces


def sparks(sides: Mapping[str, Counts], steps: Sequence[int]) -> Sparks:
    """Each measure of both sides on one scale."""
    return Sparks(_spark(sides, steps, _rate, LEAST_RATE, _overall), _spark(sides, steps, _latency, LEAST_MS, _newest))


def _spark(
    sides: Mapping[str, Counts],
    steps: Sequence[int],
    measure: Measure,
    least: float,
    told: Callable[[Counts], float | None],
) -> Spark:
    known = {side: sides.get(side, {}) for side in ("baseline", "candidate")}
    values = {side: [measure(counts[at]) if at in counts else None for at in steps] for side, counts in known.items()}
    top = max([least, *(value for each in values.values() for value in each if value is not None)])
    lines = {side: Line(tuple(pieces(values[side], top, WIDTH, HEIGHT)), told(known[side])) for side in known}
    return Spark(lines["baseline"], lines["candidate"])


def _rate(heard: Heard) -> float | None:
    return heard.bad / heard.calls if heard.calls else None


def _latency(heard: Heard) -> float | None:
    return heard.latency_ms


def _overall(counts: Counts) -> float | None:
    calls = sum(each.calls for each in counts.values())
    return sum(each.bad for each in counts.values()) / calls if calls else None


def _newest(counts: Counts) -> float | None:
    return next((each.latency_ms for _, each in sorted(counts.items(), reverse=True) if each.latency_ms), None)


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
