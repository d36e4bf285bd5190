"""Prechecking: what the baseline's traffic of the last day says about how often one key is counted."""

from collections.abc import Sequence

from controlplane.domain.arm import Arm, Halves
from controlplane.domain.flag import Flag, Side
from controlplane.domain.precheck import LEAST_SECONDS, Precheck, precheck
from controlplane.domain.retention import Grain
from controlplane.store.cells import Place
from controlplane.usecases.surveying import Reads

LOOKS_BACK = 86_400  # seconds
_NOT_DRAWN = frozenset({"fallback", "breaker", "shadow", "probe"})  # calls that another call of the same request made

Told = dict[str, list[tuple[int, Halves]]]


def prechecks(reads: Reads, environment_id: int, flag: Flag, until: int) -> dict[str, Precheck]:
    """Operation → what its baseline showed in the day before an instant."""
    buckets, processes = reads.buckets, reads.instances.number(environment_id)
    fine = _told(buckets.between(environment_id, flag.key, until - LEAST_SECONDS, until))
    coarse = _told(buckets.seen(environment_id, flag.key, until - LOOKS_BACK, until, Grain.MINUTE))
    return {name: precheck(fine.get(name, ()), coarse.get(name, ()), processes) for name in flag.operations}


def _told(cells: Sequence[tuple[Place, Arm]]) -> Told:
    found: Told = {}
    for place, arm in cells:
        if place.side is Side.BASELINE and place.assigned_by not in _NOT_DRAWN:
            found.setdefault(place.operation, []).append((place.start, arm.halves))
    return found
