"""Buckets: the stored cells of one flag as a judge is told of them, and which of them he may look at."""

from collections.abc import Iterator
from datetime import datetime

from controlplane.domain.arm import Arm, total
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.flag import Side
from controlplane.domain.routing import SHADOW_CALL, TOLD_AS_METRICS
from controlplane.domain.snapshot import Clockwork
from controlplane.store.cells import Cells, Place

_Sides = dict[Side, list[Arm]]


def sealed_until(now: datetime, clockwork: Clockwork) -> int:
    """Buckets that start before this instant have had time to answer and to be reported."""
    length = clockwork.bucket_seconds
    return int((now.timestamp() - clockwork.seal_seconds) // length) * length


def is_served(place: Place) -> bool:
    """A user waited for it: a shadow that fails, or is slow, hurts nobody and proves nothing about an outage."""
    return place.assigned_by != SHADOW_CALL


def buckets_of(cells: Cells) -> Iterator[dict[str, Bucket]]:
    """Operation → bucket, one dictionary for each start, in the order of time."""
    by_start: dict[int, dict[str, list[tuple[Place, Arm]]]] = {}
    for cell in cells:
        by_start.setdefault(cell[0].start, {}).setdefault(cell[0].operation, []).append(cell)
    for start in sorted(by_start):
        yield {name: _bucket(start, own) for name, own in by_start[start].items()}


def _bucket(start: int, cells: Cells) -> Bucket:
    """Rules, overrides and fallbacks were not drawn at random and stay out of the strata."""
    sides, drawn = _no_arms(), dict[int, _Sides]()
    probes: list[Arm] = []
    metrics: list[Arm] = []
    for place, arm in cells:
        by, side = place.assigned_by, place.side
        if by == TOLD_AS_METRICS:
            if side is Side.CANDIDATE:
                metrics.append(arm)
            continue
        sides[side].append(arm)
        if by == "share":
            drawn.setdefault(place.share, _no_arms())[side].append(arm)
        elif by == "probe" and side is Side.CANDIDATE:
            probes.append(arm)
    strata = tuple(
        Stratum(share, total(own[Side.BASELINE]), total(own[Side.CANDIDATE])) for share, own in sorted(drawn.items())
    )
    return Bucket(
        start, strata, total(sides[Side.BASELINE]), total(sides[Side.CANDIDATE]), total(probes), total(metrics)
    )


def _no_arms() -> _Sides:
    return {Side.BASELINE: [], Side.CANDIDATE: []}


def both(cells: Cells, side: Side) -> Arm:
    """Everything one side was sent, whoever assigned it."""
    return total([arm for place, arm in cells if place.side is side])
