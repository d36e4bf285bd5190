"""Does a whole rollout end as it should? G14: stages 1, 10 and 50 % in forty minutes, and regressions at one share."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

from bench.health import whole
from bench.health.goals import Goal, Table, delays_shown, median
from bench.health.latencies import BASELINE, Speed, before
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import CHECK_SECONDS, Cell, Moment, Steady
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.rollout import Step
from controlplane.domain.share import from_percent

PLAN = Plan(
    (
        Stage(from_percent(1), timedelta(minutes=10)),
        Stage(from_percent(10), timedelta(minutes=10)),
        Stage(from_percent(50), timedelta(minutes=20)),
    )
)
CELL = Cell(100, 0.1)
VOLUMES = (10, 100, 1000)
EFFECTS = (1.0, DESIGN_EFFECT)
TOLERANCE = whole.DEFAULT.compare.latency_tolerance
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class End:
    """How a staged rollout ended, after how many checks, and how many calls failed that the baseline had served."""

    step: Step
    checks: int
    extra_failures: float


def staged(per_second: float, rates: tuple[float, float], effect: float, random: Random) -> End:
    history, extra = before(random, per_second * CHECK_SECONDS), 0.0
    attempt = whole.Attempt(whole.guarded(tolerant=True, design_effect=effect), PLAN, history)
    sides = whole.Sides(BASELINE, BASELINE, TOLERANCE)
    for check in range(1, LONGEST + 1):
        moment = Moment(per_second * CHECK_SECONDS, attempt.share, *rates)
        bucket = whole.bucket_of(random, check, [moment], sides)
        extra += bucket.candidate.calls * (rates[1] - rates[0])
        step = attempt.see(bucket)
        if step in {Step.ROLL_BACK, Step.COMPLETE}:
            return End(step, check, extra)
    return End(Step.HOLD, LONGEST, extra)


def delay(  # what a regression is made of
    rates: tuple[float, float], speed: Speed, effect: float, checks: int, random: Random, *, cell: Cell = CELL
) -> int | None:
    sides = whole.Sides(BASELINE, speed, TOLERANCE)
    guardrails = whole.guarded(tolerant=True, design_effect=effect)
    return whole.first_rollback(random, Steady(cell, *rates), checks, guardrails, sides)


def tables(scale: Scale) -> Iterator[Table]:
    yield _regressions(scale)
    yield _staged(scale)


def _regressions(scale: Scale) -> Table:
    cases = (
        ("1 → 2 %", (0.01, 0.02), BASELINE, 35),
        ("1 → 5 %", (0.01, 0.05), BASELINE, 5),
        ("tail × 2", (0.01, 0.01), Speed(tail=2.0), 5),
    )
    rows, goals = [], []
    for effect in EFFECTS:
        found = [
            runs(partial(delay, rates, speed, effect, scale.checks), scale.whole_runs, seeds("whole", name))
            for name, rates, speed, _ in cases
        ]
        rows.append([f"**defaults, D = {effect:g}**", *(delays_shown(each) for each in found)])
        met = all(median(each) <= case[3] for each, case in zip(found, cases, strict=True))
        promise = f"the whole decision, D = {effect:g}, {CELL}: 1 → 2 % in ≤ 35 checks, 1 → 5 % and tail × 2 in ≤ 5"
        goals.append(Goal("G14", promise, ", ".join(f"{median(each):g}" for each in found), met, _why(effect)))
    columns = ["", *(case[0] for case in cases)]
    return Table(f"Delay of the whole decision at {CELL} (median / p95)", columns, rows, goals)


def _why(effect: float) -> str:
    if effect > 1:
        return f"the goal is one of D = 1; D = {effect:g} takes {effect:g} times the failures, which is its purpose"
    return "errors share their evidence with latency, and α with limits, outages and breakers: a check more"


def _staged(scale: Scale) -> Table:
    rows, goals = [], []
    for effect in EFFECTS:
        healthy = [_ends(volume, (0.01, 0.01), effect, scale.whole_runs) for volume in VOLUMES]
        worse = [_ends(volume, (0.01, 0.02), effect, scale.whole_runs) for volume in VOLUMES]
        finished = [sum(end.step is Step.COMPLETE for end in ends) / len(ends) for ends in healthy]
        minutes = [median([end.checks for end in ends]) * CHECK_SECONDS / 60 for ends in healthy]
        caught = [sum(end.step is Step.ROLL_BACK for end in ends) / len(ends) for ends in worse]
        extra = [sum(end.extra_failures for end in ends) / len(ends) for ends in worse]
        rows += [
            [f"D = {effect:g}, healthy: finished / after minutes (median)", *_pairs(finished, minutes, " min")],
            [f"D = {effect:g}, 1 → 2 %: rolled back / extra failed calls", *_pairs(caught, extra, "")],
        ]
        goals += [
            Goal(
                "G14",
                f"a healthy staged rollout finishes in ≥ 99 %, D = {effect:g}",
                ", ".join(f"{100 * each:.1f} %" for each in finished),
                min(finished) >= 0.99,
            ),
            Goal(
                "G14",
                f"extra failed calls for 1 → 2 % at 100/s ≤ 35, default tolerance, D = {effect:g}",
                f"{extra[1]:.1f}",
                extra[1] <= 35,
                _why(effect),
            ),
        ]
    columns = ["1 % (10 min) → 10 % (10 min) → 50 % (20 min)", *(f"{volume}/s" for volume in VOLUMES)]
    return Table("Staged rollouts, the whole decision, 1 % of calls fail", columns, rows, goals)


def _pairs(shares: list[float], numbers: list[float], unit: str) -> list[str]:
    return [f"{100 * share:.1f} % / {number:.0f}{unit}" for share, number in zip(shares, numbers, strict=True)]


def _ends(per_second: float, rates: tuple[float, float], effect: float, number: int) -> list[End]:
    return list(runs(partial(staged, per_second, rates, effect), number, seeds("staged", per_second, rates)))
