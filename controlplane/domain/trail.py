"""Trail: what was known at each look of an attempt, in few enough numbers to be kept for a month and drawn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controlplane.domain.observation import Evidence


@dataclass(frozen=True, slots=True)
class Mark:
    """One operation: ln E of errors and of latency, and over the attempt the bad keys and keys of each side."""

    errors: float
    latency: float
    baseline_bad: int = 0
    baseline_keys: int = 0
    candidate_bad: int = 0
    candidate_keys: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """`at`: what started before it is in the evidence; `overall` is ln E of the flag. Seconds since the epoch."""

    at: int
    attempt: int
    overall: float
    marks: Mapping[str, Mark] = field(default_factory=dict)


def mark_of(seen: Evidence) -> Mark:
    return Mark(
        seen.errors.log_evidence,
        seen.log_latency,
        seen.baseline_bad_keys,
        seen.baseline_keys,
        seen.candidate_bad_keys,
        seen.candidate_keys,
    )


def thinned(points: Iterable[Point], step: int) -> list[Point]:
    """One point of each attempt for each step, in the order of time.

    It keeps the newest counts and the strongest evidence: a line that was reached for a moment was reached.
    """
    found: dict[tuple[int, int], list[Point]] = {}
    for point in points:
        found.setdefault(((point.at - 1) // step, point.attempt), []).append(point)
    return sorted((_peak(each) for each in found.values()), key=lambda point: (point.at, point.attempt))


def _peak(points: Sequence[Point]) -> Point:
    newest = max(points, key=lambda point: point.at)
    marks = {name: _highest(mark, name, points) for name, mark in newest.marks.items()}
    return replace(newest, overall=max(point.overall for point in points), marks=marks)


def _highest(newest: Mark, name: str, points: Sequence[Point]) -> Mark:
    known = [point.marks[name] for point in points if name in point.marks]
    return replace(newest, errors=max(each.errors for each in known), latency=max(each.latency for each in known))
