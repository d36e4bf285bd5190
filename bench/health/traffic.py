"""What do both sides report, check by check? Poisson calls; each is drawn on its own, and so is a key of its own."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

from bench.health.draws import poisson
from controlplane.domain.evidence import Pair

CHECK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """How much traffic, and which part of it goes to the candidate."""

    per_second: float
    share: float

    def __str__(self) -> str:
        return f"{self.per_second:g}/s · {self.share * 100:g} %"

    @property
    def calls(self) -> float:
        return self.per_second * CHECK_SECONDS


@dataclass(frozen=True, slots=True)
class Moment:
    """One stratum at one check: mean calls, share, and the rates at which they fail."""

    calls: float
    share: float
    baseline_rate: float
    candidate_rate: float


class Course(Protocol):
    """What is true at each check, counted from 1."""

    def __call__(self, check: int) -> tuple[Moment, ...]: ...


@dataclass(frozen=True, slots=True)
class Steady:
    """The rates of both sides; the candidate has the baseline's until `onset`."""

    cell: Cell
    baseline_rate: float
    candidate_rate: float
    onset: int = 0

    def __call__(self, check: int) -> tuple[Moment, ...]:
        candidate = self.candidate_rate if check > self.onset else self.baseline_rate
        return (Moment(self.cell.calls, self.cell.share, self.baseline_rate, candidate),)


@dataclass(frozen=True, slots=True)
class Incident:
    """Both sides fail alike, `worst` of the calls, for five minutes."""

    cell: Cell
    rate: float = 0.01
    worst: float = 0.3
    begins: int = 800

    def __call__(self, check: int) -> tuple[Moment, ...]:
        rate = self.worst if self.begins <= check < self.begins + 30 else self.rate
        return (Moment(self.cell.calls, self.cell.share, rate, rate),)


@dataclass(frozen=True, slots=True)
class Diurnal:
    """Load swings tenfold and the common failure rate fourfold, each with its own period."""

    share: float

    def __call__(self, check: int) -> tuple[Moment, ...]:
        step = check // 30 * 30
        load = 10 ** (1.5 + 0.5 * math.sin(step / 700))
        rate = 0.01 * 2 ** math.sin(step / 230)
        return (Moment(load * CHECK_SECONDS, self.share, rate, rate),)


@dataclass(frozen=True, slots=True)
class DriftingStages:
    """1 → 10 → 50 % while the common failure rate climbs from 0.2 to 2 %: Simpson's trap for whoever pools."""

    per_second: float = 100

    def __call__(self, check: int) -> tuple[Moment, ...]:
        share = 0.01 if check < 667 else 0.1 if check < 1334 else 0.5
        rate = 0.002 + 0.018 * (check // 20) / 100
        return (Moment(self.per_second * CHECK_SECONDS, share, min(rate, 0.02), min(rate, 0.02)),)


@dataclass(frozen=True, slots=True)
class StaleShare:
    """Half of the fleet still has 1 %, the other half 10 %; an incident hits only these. `pooled` is the mistake."""

    pooled: bool = False
    begins: int = 800

    def __call__(self, check: int) -> tuple[Moment, ...]:
        rate = 0.3 if self.begins <= check < self.begins + 30 else 0.01
        return (Moment(500, 0.01, 0.01, 0.01), Moment(500, 0.1, rate, rate))


def counted(random: Random, moment: Moment) -> Pair:
    candidate, baseline = moment.calls * moment.share, moment.calls * (1 - moment.share)
    candidate_bad = poisson(random, candidate * moment.candidate_rate)
    baseline_bad = poisson(random, baseline * moment.baseline_rate)
    return Pair(
        candidate_bad + poisson(random, candidate * (1 - moment.candidate_rate)),
        baseline_bad + poisson(random, baseline * (1 - moment.baseline_rate)),
        candidate_bad,
        baseline_bad,
    )


def pooled(pairs: list[Pair]) -> Pair:
    """One pair for all strata, as rules without strata see them."""
    if len(pairs) == 1:
        return pairs[0]
    return Pair(*(sum(getattr(pair, name) for pair in pairs) for name in Pair.__slots__))


def stream(random: Random, course: Course, checks: int) -> Iterator[list[Pair]]:
    """The pairs of each stratum, check by check."""
    for check in range(1, checks + 1):
        pairs = [counted(random, moment) for moment in course(check)]
        yield [pooled(pairs)] if getattr(course, "pooled", False) else pairs
