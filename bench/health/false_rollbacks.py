"""How often is a harmless candidate rolled back? G1 and G2: our evidence and the rules of others, on errors."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from bench.health.goals import Goal, Table, holds, rate
from bench.health.kayenta import Kayenta
from bench.health.ours import BY_CALL, DEFAULT, STRICT, Policy, first_alarms
from bench.health.rivals import (
    ArgoAbsolute,
    ArgoRelative,
    ConfidenceSequence,
    Flagger,
    GroupSequential,
    PeekingZ,
    Rule,
)
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import Cell, Steady, stream

CELLS = (
    (Cell(10, 0.01), 0.01),
    (Cell(10, 0.5), 0.001),
    (Cell(100, 0.1), 0.01),
    (Cell(100, 0.5), 0.001),
    (Cell(1000, 0.01), 0.001),
    (Cell(100, 0.1), 0.3),
)
LONG_CELLS = ((Cell(100, 0.1), 0.01), (Cell(1000, 0.5), 0.01))
ALPHAS = (0.05, 0.01)
VARIANTS: Sequence[tuple[str, Policy, bool]] = (
    ("ours, no tolerance, D = 1, equal sides", STRICT, False),
    ("ours, default tolerance, D = 1, exactly at it", BY_CALL, True),
    ("ours, default tolerance, D = 2, exactly at it", DEFAULT, True),
)
RIVALS: dict[str, Callable[[int], Rule]] = {
    "z-test at each check": lambda _: PeekingZ(),
    "Argo-like, 1.2 × stable, limit 3": lambda _: ArgoRelative(),
    "Argo-like, 5 %, limit 3": lambda _: ArgoAbsolute(),
    "Flagger-like, 99 %, threshold 5": lambda _: Flagger(),
    "Kayenta-like, hourly": lambda _: Kayenta(),
    "group-sequential, horizon known": GroupSequential,
    "confidence sequence (GrowthBook-like)": lambda _: ConfidenceSequence(),
}


def alarms(policy: Policy, course: Steady, checks: int, random: Random) -> tuple[int | None, ...]:
    return first_alarms(stream(random, course, checks), policy, ALPHAS)


def rolled_back_by(name: str, course: Steady, checks: int, random: Random) -> bool:
    rule = RIVALS[name](checks)
    return any(rule.see(pairs) for pairs in stream(random, course, checks))


def tables(scale: Scale) -> Iterator[Table]:
    yield _short_rollouts(scale)
    yield _long_rollouts(scale)


def _short_rollouts(scale: Scale) -> Table:
    rows, worst = [], []
    for name, policy, at_edge in VARIANTS:
        counts = [_hits(policy, cell, base, at_edge, scale.checks, scale.false_runs) for cell, base in CELLS]
        for place, alpha in enumerate(ALPHAS):
            rows.append([f"**{name}**, α = {alpha:g}", *(rate(hits[place], scale.false_runs) for hits in counts)])
            worst += [(hits[place], alpha) for hits in counts]
    rows += [[name, *(_rival_rate(name, cell, base, scale) for cell, base in CELLS)] for name in RIVALS]
    missed = [f"{hits} at α = {alpha:g}" for hits, alpha in worst if not holds(hits, scale.false_runs, alpha)]
    highest = max(hits for hits, alpha in worst if alpha == 0.01)
    goal = Goal(
        "G1",
        f"false rollbacks ≤ α in {scale.checks} checks, {scale.false_runs} runs a cell, also exactly at the tolerance",
        f"at α = 1 % at most {rate(highest, scale.false_runs)}" + (f"; above α: {missed}" if missed else ""),
        not missed,
    )
    columns = ["false rollbacks", *(f"{cell}, {base * 100:g} % fail" for cell, base in CELLS)]
    note = f"Rules of others: α = 1 % where they have one, equal sides, {scale.rival_runs} runs."
    return Table("False rollbacks, errors", columns, rows, [goal], [note])


def _hits(policy: Policy, cell: Cell, base: float, at_edge: bool, checks: int, number: int) -> list[int]:  # noqa: FBT001
    course = Steady(cell, base, policy.edge(base) if at_edge else base)
    found = runs(partial(alarms, policy, course, checks), number, seeds("false", policy, course))
    return [sum(each[place] is not None for each in found) for place in range(len(ALPHAS))]


def _rival_rate(name: str, cell: Cell, base: float, scale: Scale) -> str:
    course = Steady(cell, base, base)
    found = runs(partial(rolled_back_by, name, course, scale.checks), scale.rival_runs, seeds("rival", course))
    return rate(sum(found), scale.rival_runs)


def _long_rollouts(scale: Scale) -> Table:
    checks, number = scale.checks * 10, max(10, scale.false_runs // 10)
    counts = [_hits(STRICT, cell, base, False, checks, number) for cell, base in LONG_CELLS]
    rows = [
        [f"**{VARIANTS[0][0]}**, α = {alpha:g}", *(rate(hits[place], number) for hits in counts)]
        for place, alpha in enumerate(ALPHAS)
    ]
    met = all(holds(hits[place], number, alpha) for hits in counts for place, alpha in enumerate(ALPHAS))
    goal = Goal("G2", f"false rollbacks ≤ α in {checks} checks, {number} runs", rows[1][1] + ", " + rows[1][2], met)
    columns = ["false rollbacks", *(f"{cell}, {base * 100:g} % fail" for cell, base in LONG_CELLS)]
    return Table(f"False rollbacks in {checks} checks", columns, rows, [goal])
