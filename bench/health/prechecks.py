"""Does the A/A pre-check measure how often one key is counted, and cry wolf seldom? G16."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.health.draws import geometric, poisson
from bench.health.goals import Goal, Table, rate
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from controlplane.domain.arm import Halves
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.precheck import LEAST_SECONDS, precheck

VOLUMES = (10, 100, 1000)  # calls a second
FAILS = 0.01
BUCKET = 10
PROCESSES = 50
BURSTS = (1.0, 2.0, 5.0)  # by how many processes a failing key is counted, on average


@dataclass(frozen=True, slots=True)
class Seen:
    """What two hours of the baseline showed."""

    phi: float | None
    alarms: bool


def truth(mean: float) -> float:
    """φ where a key counts a geometric number of times: E b² / E b."""
    return 2 * mean - 1


def look(per_second: float, mean: float, random: Random) -> Seen:
    heard = [(start, _halves(per_second, mean, random)) for start in range(0, LEAST_SECONDS, BUCKET)]
    found = precheck(heard, heard, PROCESSES)
    return Seen(None if found.design_effect is None else found.design_effect / 1.5, found.alarms)


def _halves(per_second: float, mean: float, random: Random) -> Halves:
    """Keys that fail, each always in one half; what is new of them is left out, since no key comes twice here."""
    bad = [0, 0]
    for _ in range(poisson(random, per_second * BUCKET * FAILS / mean)):
        bad[random.getrandbits(1)] += geometric(random, mean)
    return Halves(0, 0, *bad)


def tables(scale: Scale) -> Iterator[Table]:
    number = max(20, scale.delay_runs // 2)
    found = {
        mean: [runs(partial(look, volume, mean), number, seeds("precheck", volume, mean)) for volume in VOLUMES]
        for mean in BURSTS
    }
    rows = [
        [f"a failing key counts {mean:g} times on average (φ = {truth(mean):g})", *map(_shown, seen)]
        for mean, seen in found.items()
    ]
    covered = [_covered(seen, truth(2.0)) / number for seen in found[2.0]]
    noticed = [sum((each.phi or 0) * 1.5 > DESIGN_EFFECT for each in seen) / number for seen in found[2.0]]
    middles = [_quantile(seen, 0.5) / truth(2.0) for seen in found[2.0]]
    false = sum(each.alarms for seen in found[1.0] for each in seen)
    goals = [
        Goal(
            "G16",
            "two hours show keys that count twice on average: D above the default in ≥ 90 %",
            ", ".join(f"{100 * each:.0f} %" for each in noticed),
            min(noticed) >= 0.9,
        ),
        Goal(
            "G16",
            "D = 1.5 φ̂ covers what there is in ≥ 90 %",
            ", ".join(f"{100 * each:.0f} %" for each in covered),
            min(covered) >= 0.9,
        ),
        Goal(
            "G16",
            "φ̂ within ± 15 % of φ (median)",
            ", ".join(f"{100 * (each - 1):+.0f} %" for each in middles),
            all(abs(each - 1) <= 0.15 for each in middles),
            "the largest φ̂ of several lengths of blocks is taken, so that it errs on the side of too many",
        ),
        Goal("G16", "false alarms ≤ 5 %", rate(false, number * len(VOLUMES)), false <= 0.05 * number * len(VOLUMES)),
    ]
    columns = ["φ̂: median (5 % … 95 %)", *(f"{volume}/s" for volume in VOLUMES)]
    notes = [f"2 h of the baseline, {100 * FAILS:g} % of its calls fail, {number} runs."]
    yield Table("A/A pre-check", columns, rows, goals, notes)


def _covered(seen: list[Seen], phi: float) -> int:
    return sum(each.phi is not None and 1.5 * each.phi >= phi for each in seen)


def _shown(seen: list[Seen]) -> str:
    return f"{_quantile(seen, 0.5):.2f} ({_quantile(seen, 0.05):.2f} … {_quantile(seen, 0.95):.2f})"


def _quantile(seen: list[Seen], part: float) -> float:
    known = sorted(each.phi for each in seen if each.phi is not None)
    return known[int(part * (len(known) - 1))] if known else float("nan")
