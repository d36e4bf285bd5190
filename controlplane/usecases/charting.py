"""Charting: what the charts of a flag draw, and what stands below them in words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain import histogram
from controlplane.domain.audit import AuditEntry
from controlplane.domain.flag import Flag, Side
from controlplane.domain.histogram import Histogram
from controlplane.domain.observation import Evidence
from controlplane.domain.retention import Grain, grain_for
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.trail import Point, thinned
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import Filter
from controlplane.store.cells import Cells
from controlplane.store.environments import Environment
from controlplane.store.reports import Sums
from controlplane.store.watches import Watch
from controlplane.usecases.buckets import is_served
from controlplane.usecases.changing import Place
from controlplane.usecases.entries import answer_actor
from controlplane.usecases.series import QUANTILES, Span, series_of, span_between
from controlplane.usecases.trail import flag_course, operation_course, uncertainty_of

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Sight:
    """What a span of time is shown from; the watch only where it is of the attempt that runs."""

    environment: Environment
    flag: Flag
    watch: Watch | None
    cells: Cells
    span: Span

    @property
    def served(self) -> Cells:
        return _served(self.cells)

    def points(self, uow: UnitOfWork) -> list[Point]:
        """The evidence as the scheduler knew it, a point for a step at most."""
        found = uow.trails.between(self.environment.id, self.flag.key, self.span.first, self.span.until)
        return thinned(found, self.span.step)

    def seen(self, operation: str) -> Evidence:
        return self.watch.evidence.get(operation, Evidence()) if self.watch else Evidence()


def sight(
    uow: UnitOfWork, place: Place, now: datetime, clockwork: Clockwork, within: tuple[datetime, datetime]
) -> Sight:
    """A long span, and one of long ago, is read at a coarser grain. Raises NotFound."""
    span, grain = _span(now, clockwork, within)
    environment = uow.environments.get(place.environment)
    flag = uow.flags.get(environment.id, place.flag)
    watch = uow.watches.get(environment.id, flag.key)
    cells = uow.buckets.shown(environment.id, flag.key, span.first, span.until, grain)
    return Sight(environment, flag, watch if watch and watch.attempt == flag.rollout.attempt else None, cells, span)


def _span(now: datetime, clockwork: Clockwork, within: tuple[datetime, datetime]) -> tuple[Span, Grain]:
    begin, end = within
    grain = grain_for((end - begin).total_seconds(), now - begin, clockwork.retention)
    return span_between(begin, end, clockwork, grain), grain


def flag_charts(store: Store, place: Place, now: datetime, clockwork: Clockwork, since: datetime) -> dict[str, Any]:
    """Series and courses by operation, limits and events up to now, as `flag_health` has them. Raises NotFound."""
    with store.reading() as uow:
        seen = sight(uow, place, now, clockwork, (since, now))
        happened = events(uow, seen, now)
        points = seen.points(uow)
    served = seen.served
    return {
        "course": flag_course(points, seen.flag),
        "operations": {
            name: {
                "series": operation_series(seen, name, served),
                "course": operation_course(points, seen.flag, name, seen.seen(name)),
            }
            for name in seen.flag.operations
        },
        "limits": {name: limits(seen.flag, name) for name in seen.flag.operations},
        "events": happened,
    }


def operation_series(seen: Sight, name: str, served: Cells) -> dict[str, Any]:
    own = [cell for cell in served if cell[0].operation == name]
    return series_of(own, seen.span, uncertainty_of(seen.flag.guardrails_of(name), seen.seen(name)))


def limits(flag: Flag, name: str) -> dict[str, Any]:
    known = flag.guardrails_of(name)
    return {
        "max_error_rate": known.max_error_rate if known else None,
        "max_latency_ms": dict(known.max_latency_ms) if known else {},
    }


def events(uow: UnitOfWork, seen: Sight, now: datetime, until: datetime | None = None) -> list[dict[str, Any]]:
    """What was done to the flag within the span, the oldest first."""
    since = datetime.fromtimestamp(seen.span.first, tz=now.tzinfo)
    within = Filter(flag=seen.flag.key, since=since, until=until)
    return [_event(entry) for entry in reversed(uow.audit.newest(seen.environment.id, within, MOST_EVENTS))]


def _event(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "action": entry.action.value,
        "actor": answer_actor(entry.actor),
        "sentence": entry.reason,
    }


def flag_totals(
    store: Store, place: Place, now: datetime, clockwork: Clockwork, since: datetime
) -> dict[str, dict[str, dict[str, Any]]]:
    """Operation → side → calls, error rate, and the latencies of its newest step with calls. Raises NotFound.

    Of a month, only the histograms of that step are read: they are most of the work.
    """
    span, grain = _span(now, clockwork, (since, now))
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        sums = uow.buckets.summed(environment.id, flag.key, (span.first, span.until), span.step, grain)
        newest = {
            where: max((at for at, each in steps.items() if each[0]), default=span.until)
            for where, steps in sums.items()
        }
        first = min(newest.values(), default=span.until)
        recent = _served(uow.buckets.shown(environment.id, flag.key, first, span.until, grain))
    latencies: dict[tuple[str, Side], list[Histogram]] = {}
    for cell, arm in recent:
        where = (cell.operation, cell.side)
        if newest.get(where) == span.begin_of(cell.start):
            latencies.setdefault(where, []).append(arm.latency)
    return {
        name: {
            side.value: _total(sums.get((name, side), {}).values(), latencies.get((name, side), [])) for side in Side
        }
        for name in flag.operations
    }


def _served(cells: Cells) -> Cells:
    return [cell for cell in cells if is_served(cell[0])]


def _total(steps: Collection[Sums], latencies: Sequence[Histogram]) -> dict[str, Any]:
    calls, bad, cancelled = (sum(each[number] for each in steps) for number in range(3))
    found = histogram.quantiles_ms(histogram.merge(latencies), list(QUANTILES.values()))
    return {
        "calls": calls,
        "error_rate": bad / (calls - cancelled) if calls > cancelled else None,
        **dict(zip(QUANTILES, found, strict=True)),
    }
