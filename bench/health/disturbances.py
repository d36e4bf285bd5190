"""Is a harmless candidate left alone in a world that is not calm? G7: both sides change; G9: keys fail together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.health import whole
from bench.health.draws import geometric, poisson
from bench.health.goals import Goal, Table, holds, rate
from bench.health.ours import DEFAULT, STRICT, Policy, first_alarms
from bench.health.rivals import ArgoAbsolute, ArgoRelative, ConfidenceSequence, Flagger, GroupSequential, PeekingZ, Rule
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import Cell, Course, Diurnal, DriftingStages, Incident, StaleShare, stream
from controlplane.domain.evidence import Pair

ALPHA = 0.01
COURSES: Sequence[tuple[str, Course]] = (
    ("diurnal · 1 %", Diurnal(0.01)),
    ("diurnal · 10 %", Diurnal(0.1)),
    ("diurnal · 50 %", Diurnal(0.5)),
    ("incident · 1 %", Incident(Cell(100, 0.01))),
    ("incident · 10 %", Incident(Cell(100, 0.1))),
    ("incident · 50 %", Incident(Cell(100, 0.5))),
    ("stages with drift", DriftingStages()),
    ("stale share", StaleShare()),
)
POOLED = {"stale share": StaleShare(pooled=True)}  # rules without strata cannot tell the two halves apart
RIVALS: dict[str, Callable[[int], Rule]] = {
    "z-test at each check": lambda _: PeekingZ(),
    "Argo-like, 1.2 × stable, limit 3": lambda _: ArgoRelative(),
    "Argo-like, 5 %, limit 3": lambda _: ArgoAbsolute(),
    "Flagger-like, 99 %, threshold 5": lambda _: Flagger(),
    "group-sequential, horizon known": GroupSequential,
    "confidence sequence (GrowthBook-like)": lambda _: ConfidenceSequence(),
}


def tables(scale: Scale) -> Iterator[Table]:
    yield _courses(scale)
    yield _bursts(scale)


def _rolled_back(course: Course, checks: int, random: Random) -> bool:
    return whole.first_rollback(random, course, checks, whole.STRICT) is not None


def _alarmed(policy: Policy, course: Course, checks: int, random: Random) -> bool:
    return first_alarms(stream(random, course, checks), policy, [ALPHA])[0] is not None


def rival_rolled_back(name: str, course: Course, checks: int, random: Random) -> bool:
    rule = RIVALS[name](checks)
    return any(rule.see(pairs) for pairs in stream(random, course, checks))


def _courses(scale: Scale) -> Table:
    rows, met = [], True
    for name, job, number in (
        ("**ours, the whole decision, no tolerance, D = 1**", _rolled_back, scale.whole_runs // 3),
        ("**ours, the evidence, no tolerance, D = 1**", partial(_alarmed, STRICT), scale.false_runs // 4),
        ("**ours, the evidence, defaults (D = 2)**", partial(_alarmed, DEFAULT), scale.rival_runs),
    ):
        hits = [_hits(job, course, scale.checks, number) for _, course in COURSES]
        rows.append([f"{name}, {number} runs", *(rate(each, number) for each in hits)])
        met = met and all(holds(each, number, ALPHA) for each in hits)
    for name in RIVALS:
        job = partial(rival_rolled_back, name)
        courses = [POOLED.get(title, course) for title, course in COURSES]
        hits = [_hits(job, course, scale.checks, scale.rival_runs) for course in courses]
        rows.append([name, *(rate(each, scale.rival_runs) for each in hits)])
    worst = max(rows[0][1:] + rows[1][1:] + rows[2][1:], key=lambda each: float(each.split()[0]))
    promise = f"shared incident, diurnal load, drifting stages, stale share: ≤ α in {scale.checks} checks"
    goal = Goal("G7", promise, f"at most {worst}", met)
    columns = ["false rollbacks", *(title for title, _ in COURSES)]
    notes = ["With a stale share ours keeps a stratum for each share; the others pool."]
    return Table("False rollbacks when both sides change alike", columns, rows, [goal], notes)


def _hits(job: Callable[[Course, int, Random], bool], course: Course, checks: int, number: int) -> int:
    return sum(runs(partial(job, course, checks), number, seeds("course", course)))


@dataclass(frozen=True, slots=True)
class Bursts:
    """Failures come in bursts of a mean size. `together`: a burst stays on one side, and each failure is a key."""

    cell: Cell
    size: float
    together: bool
    rate: float = 0.01

    def pairs(self, random: Random, checks: int) -> Iterator[list[Pair]]:
        candidate, baseline = self.cell.calls * self.cell.share, self.cell.calls * (1 - self.cell.share)
        for _ in range(checks):
            ours, theirs = 0, 0
            for _ in range(poisson(random, self.cell.calls * self.rate / self.size)):
                size = geometric(random, self.size)
                hit = self._on_candidate(random, size)
                ours, theirs = ours + hit, theirs + size - hit
            good = 1 - self.rate
            yield [
                Pair(ours + poisson(random, candidate * good), theirs + poisson(random, baseline * good), ours, theirs)
            ]

    def _on_candidate(self, random: Random, size: int) -> int:
        if self.together:
            return size if random.random() < self.cell.share else 0
        return sum(random.random() < self.cell.share for _ in range(size))


@dataclass(frozen=True, slots=True)
class Broken:
    """Of 2 000 keys one in a hundred always fails, and a thousandth of all calls. `once`: as services report."""

    cell: Cell
    once: bool
    keys: int = 2000
    broken: float = 0.01
    rate: float = 0.001

    def pairs(self, random: Random, checks: int) -> Iterator[list[Pair]]:
        active = min(1.0, self.cell.calls / self.keys)
        number = round(self.keys * self.broken)
        on_candidate = sum(random.random() < self.cell.share for _ in range(number))
        fresh = [on_candidate, number - on_candidate]
        for _ in range(checks):
            failing = [sum(random.random() < active for _ in range(side)) for side in fresh]
            if self.once:
                fresh = [left - now for left, now in zip(fresh, failing, strict=True)]
            means = self.cell.calls * self.cell.share, self.cell.calls * (1 - self.cell.share)
            bad = [poisson(random, mean * self.rate) + now for mean, now in zip(means, failing, strict=True)]
            all_ = [poisson(random, mean) + each for mean, each in zip(means, bad, strict=True)]
            yield [Pair(*all_, *bad)]


def burst_alarm(bursts: Bursts | Broken, policy: Policy, checks: int, random: Random) -> bool:
    return first_alarms(bursts.pairs(random, checks), policy, [ALPHA])[0] is not None


def _bursts(scale: Scale) -> Table:
    number, cells = scale.rival_runs, (Cell(100, 0.1), Cell(100, 0.5))
    half = Policy(STRICT.ratio, STRICT.margin, 2.0)
    nine = Policy(STRICT.ratio, STRICT.margin, 4.5)
    cases: list[tuple[str, Callable[[Cell], Bursts | Broken], Policy, bool]] = [
        *(
            (f"bursts of mean {size}, each call drawn, D = 1", partial(_drawn, size), STRICT, True)
            for size in (2, 5, 20)
        ),
        ("1 % of keys always fail, bad once in an attempt, D = 2 (default)", partial(_broken, once=True), half, True),
        ("1 % of keys always fail, counted in every bucket, D = 2", partial(_broken, once=False), half, False),
        ("keys fail together, by two on average, D = 1", partial(_together, 2), STRICT, False),
        ("keys fail together, by two on average, D = 2 (default)", partial(_together, 2), half, False),
        ("keys fail together, by two on average, D = 4.5 (as an A/A check sets it)", partial(_together, 2), nine, True),
    ]
    rows, met = [], True
    for name, make, policy, judged in cases:
        hits = [
            sum(runs(partial(burst_alarm, make(cell), policy, scale.checks), number, seeds("burst", name, cell)))
            for cell in cells
        ]
        rows.append([name, *(rate(each, number) for each in hits), "yes" if judged else "for comparison"])
        met = met and (not judged or all(holds(each, number, ALPHA) for each in hits))
    goal = Goal("G9", f"failures that come together: ≤ α, no tolerance, {number} runs", "see the judged rows", met)
    notes = [
        "Keys fail together where a tenant has several. D = 2 does not cover bursts of two keys on average (φ = 3);",
        "D = 1.5 φ does, and φ is what an A/A check measures.",
    ]
    return Table(
        "False rollbacks when failures come together", ["case", *map(str, cells), "judged"], rows, [goal], notes
    )


def _drawn(size: float, cell: Cell) -> Bursts:
    return Bursts(cell, size, together=False)


def _together(size: float, cell: Cell) -> Bursts:
    return Bursts(cell, size, together=True)


def _broken(cell: Cell, *, once: bool) -> Broken:
    return Broken(cell, once)
