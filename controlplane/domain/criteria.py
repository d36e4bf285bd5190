"""Criteria: was the migration a success? Each is judged from what was measured: passed, failed, or not enough data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """Three-valued: what nobody has measured has neither passed nor failed."""

    PASSED = "pass"
    FAILED = "fail"
    UNKNOWN = "not_enough_data"

    @property
    def word(self) -> str:
        """As a sentence says it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Point:
    """What one operation says to a criterion; `subject` "" where it is about the flag as a whole."""

    outcome: Outcome
    sentence: str
    subject: str = ""
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A promise, and how it stands: as well as its worst point."""

    name: str
    title: str
    points: tuple[Point, ...]

    @property
    def outcome(self) -> Outcome:
        return worst(point.outcome for point in self.points)

    @property
    def sentence(self) -> str:
        """That of the first point that is as bad as the whole."""
        return next((each.sentence for each in self.points if each.outcome is self.outcome), "nothing was measured")


_FROM_BEST = (Outcome.PASSED, Outcome.UNKNOWN, Outcome.FAILED)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Nothing judged is no pass."""
    return max(outcomes, key=_FROM_BEST.index, default=Outcome.UNKNOWN)


def unmet(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Those that have not passed, whether they failed or nobody can tell yet."""
    return tuple(each for each in criteria if each.outcome is not Outcome.PASSED)


def overall(criteria: Sequence[Criterion]) -> Outcome:
    return worst(each.outcome for each in criteria)
