"""Shadowing: what the pairs of a stage say, whose calls also went to the candidate. Pure.

Nobody waits for a shadow call, so nothing here rolls back: answers that differ more often than the baseline's own do
hold the stage, and so do too few of them while nobody is served by the candidate yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from controlplane.domain.arm import Arm
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.flag import Flag
from controlplane.domain.intervals import rate_interval
from controlplane.domain.routing import Mode
from controlplane.domain.words import count, percent

TOLERATED = 0.001  # of the pairs, beyond the baseline's own noise: one in a thousand is looked at by a person

Floors = Mapping[str, tuple[int, int]]  # operation → pairs of the baseline with itself, and how many of them differed


@dataclass(frozen=True, slots=True)
class Pairs:
    """Calls of one operation that were made at both sides since its stage was entered, at second `since`.

    `failed`: the candidate failed where the baseline answered, or the other way round.
    """

    since: int
    match: int = 0
    mismatch: int = 0
    failed: int = 0

    @property
    def compared(self) -> int:
        return self.match + self.mismatch + self.failed

    @property
    def different(self) -> int:
        return self.mismatch + self.failed

    def plus(self, arms: Iterable[Arm]) -> "Pairs":
        told = [arm.shadow for arm in arms]
        sums = (sum(each.get(name, 0) for each in told) for name in ("match", "mismatch", "failed"))
        return Pairs(self.since, *(a + b for a, b in zip((self.match, self.mismatch, self.failed), sums, strict=True)))


def shadowed(flag: Flag) -> tuple[str, ...]:
    """The operations whose calls a running plan sends to the candidate as well, to compare the answers."""
    if not flag.rollout.is_live:
        return ()
    return tuple(name for name in flag.rehearsed_operations if flag.operations[name].mode is Mode.SHADOW)


def judge_pairs(flag: Flag, pairs: Mapping[str, Pairs], floors: Floors) -> Iterator[Finding]:
    """What the pairs of this stage say of each shadowed operation."""
    known = {name: pairs.get(name, Pairs(0)) for name in shadowed(flag)}
    none = not any(each.compared for each in known.values())
    for name, seen in known.items():
        if not flag.operations[name].share:
            yield _enough(flag, name, seen, none=none)
        if seen.compared:
            yield _alike(flag, name, seen, floors.get(name))


def _enough(flag: Flag, name: str, seen: Pairs, *, none: bool) -> Finding:
    """An operation without any pair holds nothing as long as another one has some: a write is never shadowed."""
    needed = _needed(flag, name)
    few = seen.compared < needed and (none or seen.compared > 0)
    of = f"{count(seen.compared)} of {count(needed)}" if few or not seen.compared else count(seen.compared)
    sentence = f"{name}: {of} answers were compared with those of {flag.candidate}"
    if not seen.compared:
        sentence += "; only operations whose kind is read are shadowed"
    return Finding(
        name,
        "pairs",
        Verdict.INCONCLUSIVE if few else Verdict.HEALTHY,
        sentence,
        Consequence.HOLD if few else Consequence.NONE,
        {"pairs": seen.compared, "needed": needed},
    )


def _needed(flag: Flag, name: str) -> int:
    """The stage's own minimum, else that of the guardrails; without either, time alone decides."""
    wanted = flag.plan.stage(flag.rollout.stage).min_samples if flag.plan else None
    limits = flag.guardrails_of(name)
    return wanted if wanted is not None else limits.min_samples if limits else 0


def _alike(flag: Flag, name: str, seen: Pairs, floor: tuple[int, int] | None) -> Finding:
    noise = rate_interval(floor[1], floor[0]).high if floor else 0.0
    limit = noise + TOLERATED
    rate = seen.different / seen.compared
    low = rate_interval(seen.different, seen.compared).low
    differs = low > limit
    own = f"{percent(floor[1] / floor[0])} of its own" if floor else "which nobody has measured of itself (mode aa)"
    sentence = (
        f"{name}: {percent(rate)} of {count(seen.compared)} answers of {flag.candidate} differ from those of "
        f"{flag.baseline}, {own}"
    )
    return Finding(
        name,
        "mismatches",
        Verdict.INCONCLUSIVE if differs else Verdict.HEALTHY,
        f"{sentence}: look at the examples, and advance by hand if they may differ" if differs else sentence,
        Consequence.HOLD if differs else Consequence.NONE,
        {"value": rate, "limit": limit, "pairs": seen.compared, "different": seen.different},
    )
