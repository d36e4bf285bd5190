"""Testimony: what the stored hours of a flag say to each criterion. Sums and instants; nothing is judged here."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from controlplane.domain.arm import Arm, total
from controlplane.domain.assignment import Assignment
from controlplane.domain.flag import Flag, Side, effective_share
from controlplane.domain.held import OUTAGE_CALLS, OUTAGE_RATE, Affinity, Breakers, Quiet
from controlplane.domain.no_worse import Compared
from controlplane.domain.observation import Evidence, design_effect_of
from controlplane.domain.routing import BreakerMode
from controlplane.domain.share import to_percent
from controlplane.store.reports import Place
from controlplane.usecases.buckets import buckets_of

Cells = Sequence[tuple[Place, Arm]]
Span = tuple[datetime, datetime]
HOUR, DAY = 3_600, 86_400
_GONE = ("connection", "communication", "timeout")
_DOUBT = 0.001  # where the guardrails say nothing of the assignment
_OFF = frozenset({BreakerMode.METRICS_ONLY, BreakerMode.FORCED_CLOSED})


def by_hour(cells: Cells) -> list[tuple[Place, Arm]]:
    """Cells that are not packed yet, by the hour like the others."""
    sums: dict[Place, list[Arm]] = {}
    for place, arm in cells:
        sums.setdefault(replace(place, start=place.start - place.start % HOUR, late=False), []).append(arm)
    return sorted(((place, total(arms)) for place, arms in sums.items()), key=lambda cell: cell[0].start)


def compared(flag: Flag, name: str, cells: Cells, seen: Evidence) -> Compared:
    """The newest attempt in which the share sent keys to both sides."""
    limits = flag.guardrails_of(name)
    drawn = [cell for cell in cells if cell[0].assigned_by == "share" and cell[0].operation == name]
    buckets = tuple(
        bucket_of[name]
        for bucket_of in buckets_of([cell for cell in drawn if cell[0].attempt == _attempt(drawn)])
        if name in bucket_of
    )
    effect = design_effect_of(seen, limits) if limits else seen.design_effect
    return Compared(name, flag.baseline, flag.candidate, limits.compare if limits else None, effect, buckets)


def _attempt(drawn: Cells) -> int:
    sides: dict[int, set[Side]] = {}
    for place, arm in drawn:
        if arm.keys:
            sides.setdefault(place.attempt, set()).add(place.side)
    return max((attempt for attempt, found in sides.items() if len(found) == 2), default=0)


def affinity(flag: Flag, name: str, of: Compared, cells: Cells, processes: int) -> Affinity:
    """Each key of that attempt once, by the share that drew it."""
    drawn: dict[int, Assignment] = {}
    for bucket in of.buckets:
        for each in bucket.strata:
            arrived = Assignment(each.baseline.turnout, each.candidate.turnout)
            drawn[each.share] = drawn.get(each.share, Assignment()).plus(arrived)
    alpha = of.compare.sample_ratio_alpha if of.compare else None
    own = [cell for cell in cells if cell[0].operation == name]
    attempt = _attempt([cell for cell in own if cell[0].assigned_by == "share"])
    looked = [arm for p, arm in own if attempt and p.attempt == attempt and arm.strayed_keys is not None]
    return Affinity(
        name,
        drawn,
        processes,
        (alpha or _DOUBT) / max(1, len(flag.planned_operations)),
        pinned=_calls(own, "pin"),
        keyless=_calls(own, "no_key"),
        calls=sum(arm.calls for _, arm in own),
        switched_on=flag.switches.affinity,
        watched=sum(arm.keys for arm in looked),
        strayed=sum(arm.strayed_keys or 0 for arm in looked),
    )


def breakers(flag: Flag, name: str, cells: Cells, forced: Sequence[Span]) -> Breakers:
    own = [cell for cell in cells if cell[0].operation == name]
    diverted = sorted({place.start for place, arm in own if place.assigned_by == "breaker" and arm.calls})
    served = [(p, a) for p, a in own if p.assigned_by == "share" and p.side is Side.CANDIDATE]
    by_force = tuple(start for start in diverted if _overlaps(start, forced))
    return Breakers(
        name,
        switched_on=flag.switches.breaker and flag.operations[name].breaker.mode not in _OFF,
        kept_back=_calls(own, "breaker"),
        probes=_calls(own, "probe"),
        opened=tuple(start for start in diverted if start not in by_force),
        forced=by_force,
        answered=tuple(sorted({place.start for place, arm in served if arm.judged > arm.bad})),
        unnoticed=tuple(sorted({p.start for p, a in served if _was_gone(a) and p.start not in diverted})),
    )


def _was_gone(arm: Arm) -> bool:
    failed = sum(arm.errors.get(category, 0) for category in _GONE)
    return arm.judged >= OUTAGE_CALLS and failed >= OUTAGE_RATE * arm.judged


def _overlaps(start: int, spans: Sequence[Span]) -> bool:
    return any(start < until.timestamp() and start + HOUR > since.timestamp() for since, until in spans)


def _calls(cells: Cells, assigned_by: str) -> int:
    return sum(arm.calls for place, arm in cells if place.assigned_by == assigned_by)


def quiet(flag: Flag, name: str, cells: Cells, opened: Sequence[int], rolled_back_at: datetime | None) -> Quiet:
    """`opened` are hours in which a breaker was open that nobody had forced."""
    now_at = effective_share(flag, name)
    aim = flag.plan.share_of(name, flag.plan.length - 1) if flag.plan else now_at
    drawn = [(p.start, p.share) for p, a in cells if p.operation == name and p.assigned_by == "share" and a.calls]
    reached = _reached(drawn, aim) if aim else None
    opened_at = _instant(opened[-1] + HOUR) if opened else None
    since = max((at for at in (reached, rolled_back_at, opened_at) if at), default=None)
    heard = set(_days(name, cells, since)) if since else set()
    shown = (to_percent(aim or 1), to_percent(now_at))
    return Quiet(name, *shown, reached, rolled_back_at, opened_at, len(heard))


def _reached(drawn: Sequence[tuple[int, int]], aim: int) -> datetime | None:
    """When the last hour below the aim was over, or the first one at it."""
    below = [start for start, share in drawn if share < aim]
    there = [start for start, share in drawn if share >= aim]
    if not there or (below and max(below) >= max(there) + HOUR):
        return None
    return _instant(max(below) + HOUR if below else min(there))


def _days(name: str, cells: Cells, since: datetime) -> Iterator[int]:
    begin = int(since.timestamp())
    for place, arm in cells:
        if place.operation == name and place.side is Side.CANDIDATE and arm.calls and place.start + HOUR > begin:
            yield max(0, place.start - begin) // DAY


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
