"""Is it noticed that keys are missing on one side, and never where none are? G12."""

import math
from collections.abc import Iterator
from functools import partial
from random import Random

from bench.health.draws import poisson
from bench.health.goals import Goal, Table, delays_shown, holds, median
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import Cell
from controlplane.domain.assignment import Assignment, Turnout, log_mismatch
from controlplane.domain.guardrails import Compare
from controlplane.domain.share import FULL

CELLS = (Cell(10, 0.01), Cell(100, 0.01), Cell(100, 0.1), Cell(100, 0.5))
LIMIT = -math.log(Compare().sample_ratio_alpha)
CASES = (
    ("assigned as the share says", 1.0),
    ("20 % of the candidate's keys missing", 0.8),
    ("a share 25 % too high", 1.25),
)


def alarm(cell: Cell, part: float, checks: int, random: Random) -> int | None:
    """Every call is a fresh key; `part` of the candidate's arrive."""
    seen, share = Assignment(), round(cell.share * FULL)
    for check in range(1, checks + 1):
        candidate = poisson(random, cell.calls * cell.share * part)
        baseline = poisson(random, cell.calls * (1 - cell.share * max(1.0, part)))
        seen = seen.plus(Assignment(Turnout(fresh=baseline), Turnout(fresh=candidate)))
        if log_mismatch({share: seen}) >= LIMIT:
            return check
    return None


def tables(scale: Scale) -> Iterator[Table]:
    found = {name: [_delays(cell, part, scale) for cell in CELLS] for name, part in CASES}
    rows = [[name, *(delays_shown(each) for each in delays)] for name, delays in found.items()]
    false = [sum(each is not None for each in delays) for delays in found[CASES[0][0]]]
    number = len(found[CASES[0][0]][0])
    missing = median(found[CASES[1][0]][2])
    goals = [
        Goal("G12", f"20 % missing at {CELLS[2]} is found in ≤ 10 checks (median)", f"{missing:g}", missing <= 10),
        Goal(
            "G12",
            f"false alarms ≤ 0.1 % in {scale.checks} checks",
            f"{sum(false)} of {number * len(CELLS)}",
            holds(sum(false), number * len(CELLS), 0.001),
        ),
    ]
    columns = ["checks to the alarm (median / p95)", *map(str, CELLS)]
    yield Table("Sample ratio: α = 0.1 %", columns, rows, goals)


def _delays(cell: Cell, part: float, scale: Scale) -> list[int | None]:
    number = scale.delay_runs if part != 1.0 else 2 * scale.delay_runs
    return list(runs(partial(alarm, cell, part, scale.checks), number, seeds("ratio", cell, part)))
