"""How is a slower candidate found, and a harmless one spared? G8 and the half of G1 that is about latency."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.health import whole
from bench.health.goals import NEVER, Goal, Table, delays_shown, holds, median, rate
from bench.health.latencies import BASELINE, CHECKS_BEFORE, Speed, before, histogram_of
from bench.health.quantile_sequence import QuantileSequence
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import CHECK_SECONDS, Cell, Moment
from controlplane.domain.bucket import Bucket
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.observation import Evidence, gather

ALPHA = 0.01
EVERY, TAIL = Speed(all=1.5), Speed(tail=1.5)
CASES = (
    ("all × 1.5", EVERY, Cell(10, 0.1)),
    ("all × 1.5", EVERY, Cell(100, 0.01)),
    ("all × 1.5", EVERY, Cell(100, 0.1)),
    ("all × 2", Speed(all=2.0), Cell(100, 0.1)),
    ("tail × 1.5", TAIL, Cell(10, 0.1)),
    ("tail × 1.5", TAIL, Cell(100, 0.01)),
    ("tail × 1.5", TAIL, Cell(100, 0.1)),
    ("tail × 2", Speed(tail=2.0), Cell(100, 0.1)),
)
AT_EDGE = Speed(all=2 ** (2 / 8))  # what the default tolerates, exactly
HARMLESS_CELLS = (Cell(100, 0.1), Cell(10, 0.5))


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    guardrails: Guardrails

    @property
    def tolerance(self) -> int:
        return self.guardrails.compare.latency_tolerance


STRICT = Setting("**ours, no tolerance, D = 1**", whole.STRICT)
BY_CALL = Setting("**ours, tolerance 19 %, D = 1**", whole.BY_CALL)
DEFAULT = Setting(f"**ours, tolerance 19 %, D = {DESIGN_EFFECT:g} (default)**", whole.DEFAULT)
OURS = (STRICT, BY_CALL, DEFAULT)
THEIRS = "p99 confidence sequence (Howard–Ramdas, beta-binomial)"


def alarm(setting: Setting, speed: Speed, cell: Cell, checks: int, random: Random) -> int | None:
    """The first check at which the evidence on latency exceeds 1/α."""
    seen = Evidence(history=before(random, cell.calls))
    sides = whole.Sides(BASELINE, speed, setting.tolerance)
    for check in range(1, checks + 1):
        stratum = whole.timed_stratum(random, Moment(cell.calls, cell.share, 0.0, 0.0), sides)
        bucket = Bucket(check * CHECK_SECONDS, (stratum,), stratum.baseline, stratum.candidate)
        seen = gather(seen, bucket, setting.guardrails)
        if seen.log_latency >= -math.log(ALPHA):
            return check
    return None


def sequence_alarm(speed: Speed, cell: Cell, checks: int, random: Random) -> int | None:
    sequence = QuantileSequence(ALPHA)
    for check in range(1, checks + 1):
        slow = histogram_of(random, speed, cell.calls * cell.share)
        if sequence.see(slow, histogram_of(random, BASELINE, cell.calls * (1 - cell.share))):
            return check
    return None


def tables(scale: Scale) -> Iterator[Table]:
    yield _harmless(scale)
    yield _delays(scale)


def _harmless(scale: Scale) -> Table:
    number, checks = scale.whole_runs // 2, scale.checks // 2
    rows, met = [], True
    for setting, speed, how in (
        (STRICT, BASELINE, "equal sides"),
        (BY_CALL, AT_EDGE, "exactly at the tolerance"),
        (DEFAULT, AT_EDGE, "exactly at the tolerance"),
    ):
        hits = [_false_alarms(setting, speed, cell, checks, number) for cell in HARMLESS_CELLS]
        rows.append([f"{setting.name}, {how}", *(rate(each, number) for each in hits)])
        met = met and all(holds(each, number, ALPHA) for each in hits)
    promise = f"latency: false rollbacks ≤ α = 1 % in {checks} checks, {number} runs, also exactly at the tolerance"
    goal = Goal("G1", promise, "; ".join(", ".join(row[1:]) for row in rows), met)
    return Table("False rollbacks, latency", ["false rollbacks", *map(str, HARMLESS_CELLS)], rows, [goal])


def _false_alarms(setting: Setting, speed: Speed, cell: Cell, checks: int, number: int) -> int:
    found = runs(partial(alarm, setting, speed, cell, checks), number, seeds("equal times", setting.name, cell))
    return sum(each is not None for each in found)


def _delays(scale: Scale) -> Table:
    number = max(10, scale.delay_runs // 4)
    found: dict[str, list[Sequence[int | None]]] = {
        setting.name: [
            runs(partial(alarm, setting, speed, cell, scale.checks), number, seeds("slow", name, cell))
            for name, speed, cell in CASES
        ]
        for setting in OURS
    }
    found[THEIRS] = [
        runs(partial(sequence_alarm, speed, cell, scale.checks), number, seeds("slow", name, cell))
        for name, speed, cell in CASES
    ]
    rows = [[name, *(delays_shown(each) for each in delays)] for name, delays in found.items()]
    columns = ["", *(f"{name}, {cell}" for name, _, cell in CASES)]
    notes = [
        f"{number} runs. Edges come from {CHECKS_BEFORE} checks of the baseline before the attempt: services report",
        "before a rollout starts. The sequence needs both sides at once and begins with the attempt.",
    ]
    return Table("Delay in checks, latency (median / p95)", columns, rows, list(_goals(found)), notes)


_CAPPED = "D = 2 takes twice as much, which is its purpose; the goal is one of D = 1"
_ONE = "it watches the one quantile that this fault moves, ours shares its evidence over five and caps each win"


def _goals(found: dict[str, list[Sequence[int | None]]]) -> Iterator[Goal]:
    middle = {name: [median(each) for each in delays] for name, delays in found.items()}
    for setting, most in ((STRICT, 8), (BY_CALL, 25), (DEFAULT, 25)):
        twice, tail = middle[setting.name][3], middle[setting.name][6]
        promise = f"{setting.name.strip('*')}: all × 2 in ≤ 3 checks, tail × 1.5 in ≤ {most}, at 100/s · 10 %"
        yield Goal("G8", promise, f"{twice:g} and {tail:g}", twice <= 3 and tail <= most, _CAPPED)
    ratios = [
        theirs / ours
        for ours, theirs in zip(middle[STRICT.name], middle[THEIRS], strict=True)
        if theirs >= 10 and ours < NEVER
    ]
    least = min(ratios, default=math.nan)
    promise = "no tolerance, D = 1: ≥ 2 × sooner than the p99 sequence where that needs ≥ 10 checks"
    yield Goal("G8", promise, f"{least:.1f} … {max(ratios, default=math.nan):.1f} ×", least >= 2, _ONE)
