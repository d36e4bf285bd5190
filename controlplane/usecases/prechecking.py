"""Prechecking: how often a key of the baseline was counted before an attempt, and how fast its calls were answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.domain import histogram
from controlplane.domain.arm import Arm, Halves
from controlplane.domain.flag import Flag, Side
from controlplane.domain.histogram import Histogram
from controlplane.domain.precheck import LEAST_SECONDS, Precheck, precheck
from controlplane.domain.retention import Grain
from controlplane.domain.routing import TOLD_AS_METRICS
from controlplane.store.cells import Place
from controlplane.usecases.surveying import Reads

LOOKS_BACK = 86_400  # seconds
# Calls that another call of the same request made, and those of which nobody knows the key.
_NOT_DRAWN = frozenset({"fallback", "breaker", "shadow", "probe", TOLD_AS_METRICS})

Told = dict[str, list[tuple[int, Arm]]]


@dataclass(frozen=True, slots=True)
class Before:
    """An operation's baseline before an attempt: the A/A check of it, and the slowest times of its keys."""

    precheck: Precheck
    history: Histogram


def before(reads: Reads, environment_id: int, flag: Flag, until: int) -> dict[str, Before]:
    """Operation → what its baseline showed in the day before an instant, and how fast it was in the last two hours."""
    buckets, processes = reads.buckets, reads.instances.number(environment_id)
    fine = _told(buckets.between(environment_id, flag.key, until - LEAST_SECONDS, until))
    coarse = _told(buckets.seen(environment_id, flag.key, until - LOOKS_BACK, until, Grain.MINUTE))
    return {
        name: Before(
            precheck(_halves(fine.get(name, ())), _halves(coarse.get(name, ())), processes),
            histogram.merge(arm.key_latency for _, arm in fine.get(name, ())),
        )
        for name in flag.operations
    }


def _told(cells: Sequence[tuple[Place, Arm]]) -> Told:
    found: Told = {}
    for place, arm in cells:
        if place.side is Side.BASELINE and place.assigned_by not in _NOT_DRAWN:
            found.setdefault(place.operation, []).append((place.start, arm))
    return found


def _halves(told: Sequence[tuple[int, Arm]]) -> list[tuple[int, Halves]]:
    return [(start, arm.halves) for start, arm in told]
