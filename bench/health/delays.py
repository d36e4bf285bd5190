"""How soon is a regression found? G3 to G6: ours beside an oracle, and beside rules that hold α or do not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.health.goals import NEVER, Goal, Table, delays_shown, median
from bench.health.kayenta import Kayenta
from bench.health.ours import BY_CALL, DEFAULT, STRICT, Ours
from bench.health.rivals import (
    ArgoAbsolute,
    ArgoRelative,
    ConfidenceSequence,
    Flagger,
    GroupSequential,
    Oracle,
    PeekingZ,
    Rule,
)
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import Cell, Steady, stream

CELLS = (Cell(10, 0.01), Cell(10, 0.1), Cell(100, 0.01), Cell(100, 0.1), Cell(100, 0.5), Cell(1000, 0.01))
REGRESSIONS = ((0.005, 0.01), (0.01, 0.02), (0.01, 0.05), (0.001, 0.1), (0.01, 1.0))
LATE_CELLS = (Cell(100, 0.1), Cell(1000, 0.01))
LATE_REGRESSIONS = ((0.01, 0.02), (0.01, 0.05), (0.001, 0.1))
OURS = "**ours, no tolerance, D = 1**"
BY_CALL_OURS = "**ours, default tolerance, D = 1**"
DEFAULT_OURS = "**ours, default tolerance, D = 2**"
ORACLE = "oracle (knows both rates)"
SEQUENTIAL = "group-sequential, horizon known"
CONFIDENCE = "confidence sequence (GrowthBook-like)"
KAYENTA = "Kayenta-like, hourly"
RULES: Mapping[str, Callable[[Steady, int], Rule]] = {
    OURS: lambda *_: Ours(STRICT),
    BY_CALL_OURS: lambda *_: Ours(BY_CALL),
    DEFAULT_OURS: lambda *_: Ours(DEFAULT),
    ORACLE: lambda course, _: Oracle(course.baseline_rate, course.candidate_rate),
    CONFIDENCE: lambda *_: ConfidenceSequence(),
    SEQUENTIAL: lambda _, checks: GroupSequential(checks),
    KAYENTA: lambda *_: Kayenta(),
    "z-test at each check (does not hold α)": lambda *_: PeekingZ(),
    "Argo-like, 1.2 × stable (does not hold α)": lambda *_: ArgoRelative(),
    "Argo-like, 5 %": lambda *_: ArgoAbsolute(),
    "Flagger-like (does not hold α)": lambda *_: Flagger(),
}
LATE_RULES = (OURS, BY_CALL_OURS, DEFAULT_OURS, CONFIDENCE, SEQUENTIAL)
Delays = Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Found:
    """Delays in checks after the onset, by rule and course."""

    by: Mapping[tuple[str, Steady], Delays]

    def median(self, rule: str, course: Steady) -> float:
        return median(self.by[rule, course])


def delay(name: str, course: Steady, checks: int, random: Random) -> int | None:
    """Checks from the onset to the alarm; None when it does not come. An alarm before the onset counts as one check."""
    rule = RULES[name](course, checks)
    for check, pairs in enumerate(stream(random, course, checks), 1):
        if rule.see(pairs):
            return max(1, check - course.onset)
    return None


def _measured(rules: Sequence[str], courses: Sequence[Steady], scale: Scale) -> Found:
    return Found(
        {
            (rule, course): runs(partial(delay, rule, course, scale.checks), scale.delay_runs, seeds("delay", course))
            for rule in rules
            for course in courses
        }
    )


def tables(scale: Scale) -> Iterator[Table]:
    early = _measured(tuple(RULES), [Steady(c, *rates) for rates in REGRESSIONS for c in CELLS], scale)
    for rates in REGRESSIONS:
        yield _table(f"Delay in checks, {_shown(rates)} from the start (median / p95)", tuple(RULES), early, rates)
    onset = scale.checks // 2
    late = _measured(LATE_RULES, [Steady(c, *rates, onset) for rates in LATE_REGRESSIONS for c in LATE_CELLS], scale)
    yield _late_table(late, onset)
    yield _judged(early, late, onset)


def _table(title: str, rules: Sequence[str], found: Found, rates: tuple[float, float]) -> Table:
    courses = [Steady(cell, *rates) for cell in CELLS]
    rows = [[rule, *(delays_shown(found.by[rule, course]) for course in courses)] for rule in rules]
    return Table(title, ["", *map(str, CELLS)], rows)


def _late_table(found: Found, onset: int) -> Table:
    courses = [Steady(cell, *rates, onset) for rates in LATE_REGRESSIONS for cell in LATE_CELLS]
    rows = [[rule, *(delays_shown(found.by[rule, course]) for course in courses)] for rule in LATE_RULES]
    columns = ["", *(f"{_shown((c.baseline_rate, c.candidate_rate))}, {c.cell}" for c in courses)]
    return Table(f"Delay in checks after an onset at check {onset} (median / p95)", columns, rows)


def _shown(rates: tuple[float, float]) -> str:
    return f"{rates[0] * 100:g} → {rates[1] * 100:g} %"


def _judged(early: Found, late: Found, onset: int) -> Table:
    goals = [
        _oracle_goal(early),
        _late_goal(early, late, onset),
        *_rival_goals(early, late, onset),
        *_outage_goals(early),
    ]
    return Table("Delay: goals", (), (), goals)


def _oracle_goal(found: Found) -> Goal:
    courses = [Steady(cell, *rates) for rates in REGRESSIONS for cell in CELLS]
    ratios = {
        course: found.median(OURS, course) / found.median(ORACLE, course)
        for course in courses
        if 3 <= found.median(ORACLE, course) < NEVER and found.median(OURS, course) < NEVER
    }
    worst = max(ratios, key=lambda course: ratios[course])
    where = f"{_shown((worst.baseline_rate, worst.candidate_rate))} at {worst.cell}"
    figure = f"{min(ratios.values()):.2f} … {max(ratios.values()):.2f} in {len(ratios)} cells, worst {where}"
    return Goal("G3", "median delay ≤ 1.7 × the oracle's, no tolerance, D = 1", figure, max(ratios.values()) <= 1.7)


def _late_goal(early: Found, late: Found, onset: int) -> Goal:
    cell = Cell(100, 0.1)
    first, then = early.median(OURS, Steady(cell, 0.01, 0.02)), late.median(OURS, Steady(cell, 0.01, 0.02, onset))
    best = min(late.median(rule, Steady(cell, 0.01, 0.02, onset)) for rule in (CONFIDENCE, SEQUENTIAL))
    return Goal(
        "G4",
        "1 → 2 % late at 100/s · 10 %: ≤ 2.2 × the delay from the start and ≤ ½ of the best rival's that holds α",
        f"{then:g} after {first:g} from the start ({then / first:.1f} ×); best rival {best:g}",
        then <= 2.2 * first and then <= best / 2,
    )


def _rival_goals(early: Found, late: Found, onset: int) -> Iterator[Goal]:
    cell = Cell(100, 0.1)
    start, end = Steady(cell, 0.01, 0.02), Steady(cell, 0.01, 0.02, onset)
    for rule, at_least, found, course, when in (
        (SEQUENTIAL, 5, early, start, "from the start"),
        (CONFIDENCE, 1.2, early, start, "from the start"),
        (CONFIDENCE, 4, late, end, "late"),
        (KAYENTA, 15, early, start, "from the start"),
    ):
        theirs, ours = found.median(rule, course), found.median(OURS, course)
        promise = f"1 → 2 % {when} at {cell}, D = 1: ≥ {at_least} × sooner than {rule}"
        yield Goal("G5", promise, f"{ours:g} against {theirs:g}: {theirs / ours:.2f} ×", theirs >= at_least * ours)


def _outage_goals(found: Found) -> Iterator[Goal]:
    for name, rule in (("D = 1", OURS), ("D = 2, default tolerance", DEFAULT_OURS)):
        slow = sorted(NEVER if d is None else d for d in found.by[rule, Steady(CELLS[0], 0.01, 1.0)])
        middle, high = median(slow), slow[int(0.95 * (len(slow) - 1))]
        quick = max(found.median(rule, Steady(cell, 0.01, 1.0)) for cell in CELLS if cell.per_second >= 100)
        yield Goal(
            "G6",
            f"outage, {name}: at 10/s · 1 % median ≤ 3 and p95 ≤ 6 checks; from 100/s on 1 check",
            f"{middle:g} / {high:g}; {quick:g}",
            middle <= 3 and high <= 6 and quick == 1,
            "D = 2 counts two failures as one until more is known, and at one key in ten seconds each is waited for",
        )
