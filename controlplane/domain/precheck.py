"""Pre-check: how far apart are two halves of the baseline's keys, between which nothing differs?

An A/A test, run on the traffic before an attempt. A second hash halves the keys, so of E keys that fail, or that come,
for the first time in a block of time, Bin(E, ½) are in the first half. A key that several processes count is counted
several times, always in the same half, and the halves are further apart than that:

    φ̂ = Σ (first − E/2)² / Σ E/4    over blocks of one length
    D  = max(1, 1.5 min(φ̂, w))     the design effect that the attempt is judged with; w processes count a key at most

The same key comes to other processes within seconds or within the hour, so blocks of 10 s, 10 min and 1 h are looked
at, and the largest φ̂ counts. Then the comparison itself, with D, is made between the halves, in both directions: where
even that finds a difference, something else than chance splits the keys, and nothing that is compared can be trusted.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controlplane.domain import evidence
from controlplane.domain.arm import Halves
from controlplane.domain.evidence import DESIGN_EFFECT, Pair, Wealth
from controlplane.domain.words import count, one_in
from controlplane.domain.words import seconds as _time

BLOCKS = (10, 600, 3_600)  # seconds
LEAST_SECONDS = 7_200  # of baseline traffic: with less nothing is measured
LEAST_BLOCKS = 6  # of one length: the square of a few numbers tells nothing
LEAST_KEYS = 100
ALARM = math.log(100.0)
_FACTOR = 1.5

Counts = tuple[int, int]  # first half, second half
Heard = Sequence[tuple[int, Halves]]  # what was heard of the baseline, by its start in seconds


@dataclass(frozen=True, slots=True)
class Precheck:
    """`seconds` of baseline traffic, `keys` that came or failed first in it, and what they showed.

    `design_effect` is None where there was too little to measure it; `log_evidence` is ln E that the halves differ.
    """

    seconds: int = 0
    keys: int = 0
    design_effect: float | None = None
    log_evidence: float = 0.0

    @property
    def effect(self) -> float:
        """What an attempt is to be judged with: as measured, else the cautious default."""
        return DESIGN_EFFECT if self.design_effect is None else self.design_effect

    @property
    def alarms(self) -> bool:
        return self.log_evidence >= ALARM


def precheck(fine: Heard, coarse: Heard, processes: int) -> Precheck:
    """What the halves showed: `fine` at the grain of buckets, `coarse` of longer ago and at most by the minute.

    `processes` is how many may have counted the same key.
    """
    seconds = 600 * len({start // 600 for start, halves in coarse if any(halves)})
    keys = sum(sum(halves) for _, halves in coarse)
    if seconds < LEAST_SECONDS or keys < LEAST_KEYS:
        return Precheck(seconds, keys)
    spreads = [
        spread
        for length in BLOCKS
        for metric in (_fresh, _bad)
        if (spread := _spread([metric(each) for each in blocks(fine if length < 60 else coarse, length)])) is not None
    ]
    if not spreads:
        return Precheck(seconds, keys)
    effect = max(1.0, _FACTOR * min(max(spreads), processes))
    return Precheck(seconds, keys, effect, _log_difference([_bad(each) for each in blocks(coarse, 600)], effect))


def told(check: Precheck, baseline: str) -> str:
    """How many failures count as one in the attempt that follows, and why, in one sentence."""
    if check.alarms:
        return (
            f"two halves of the keys of {baseline} failed differently, though nothing differs between them: something "
            f"else than chance splits the keys; evidence 1 in {one_in(check.log_evidence)}, limit 1 in "
            f"{one_in(ALARM)}: find it, or set a design_effect"
        )
    if check.design_effect is not None:
        worth = f"{round(check.effect, 2):g} failures count as one"
        return f"as two halves of {count(check.keys)} keys of {baseline} showed before the attempt, {worth}"
    if not check.seconds:
        heard = f"nothing was heard of {baseline} by key before the attempt, of {_time(LEAST_SECONDS)} needed"
    elif check.seconds < LEAST_SECONDS:
        heard = (
            f"{_time(check.seconds)} of calls to {baseline} by key before the attempt, of {_time(LEAST_SECONDS)} needed"
        )
    else:
        heard = f"{count(check.keys)} keys of {baseline} before the attempt, too few to measure"
    return f"{heard}: {check.effect:g} failures count as one"


def blocks(heard: Heard, length: int) -> list[Halves]:
    """Sums over blocks of some seconds, in the order of time."""
    found: dict[int, Halves] = {}
    for start, halves in heard:
        before = found.get(start // length, Halves())
        found[start // length] = Halves(*map(sum, zip(before, halves, strict=True)))
    return [found[block] for block in sorted(found)]


def _fresh(halves: Halves) -> Counts:
    return halves.fresh_first, halves.fresh_second


def _bad(halves: Halves) -> Counts:
    return halves.bad_first, halves.bad_second


def _spread(counts: Iterable[Counts]) -> float | None:
    """φ̂; None where too few keys, or too few blocks, were counted."""
    known = [each for each in counts if sum(each)]
    keys = sum(map(sum, known))
    if len(known) < LEAST_BLOCKS or keys < LEAST_KEYS:
        return None
    return sum((first - second) ** 2 for first, second in known) / keys


def _log_difference(counts: Iterable[Counts], effect: float) -> float:
    """ln of the mean evidence that the first half fails more, and that the second does."""
    wealths = [Wealth(), Wealth()]
    for first, second in counts:
        for number, pair in enumerate((Pair(1, 1, first, second), Pair(1, 1, second, first))):
            factors = evidence.comparison_factors([pair], ratio=1.0, margin=0.0, design_effect=effect)
            wealths[number] = evidence.staked(wealths[number], factors)
    return evidence.log_mean([each.log_evidence for each in wealths])
