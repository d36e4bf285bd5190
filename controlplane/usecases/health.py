"""Health: what was judged of a flag and what it looks like over time, for a page or a machine."""

import math
from datetime import datetime
from typing import Any

from controlplane.domain import evidence
from controlplane.domain.audit import AuditEntry
from controlplane.domain.findings import Finding, worst
from controlplane.domain.flag import Flag
from controlplane.domain.health import flag_evidence
from controlplane.domain.intervals import Interval
from controlplane.domain.observation import Evidence
from controlplane.domain.rates import rates_of
from controlplane.domain.retention import Grain, grain_for
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.trail import thinned
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import Filter
from controlplane.store.environments import Environment
from controlplane.store.watches import Watch
from controlplane.usecases.answers import health_word, holds, is_held, operation_waits_for, waiting_for
from controlplane.usecases.changing import Place
from controlplane.usecases.judging import Cells, attempted, is_served
from controlplane.usecases.routing import describe_routing
from controlplane.usecases.series import RANGES, Span, series_of, span_between
from controlplane.usecases.trail import flag_course, operation_course, uncertainty_of

SPAN = RANGES["15m"]
MOST_EVENTS = 200


def flag_health(
    store: Store,
    place: Place,
    now: datetime,
    clockwork: Clockwork,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Verdict, findings, series, evidence and events of a flag; by default of the last 15 minutes. Raises NotFound.

    A long span, and one of long ago, is read at a coarser grain. docs/api.md has the shape.
    """
    end = until or now
    begin = since or end - SPAN
    grain = grain_for((end - begin).total_seconds(), now - begin, clockwork.retention)
    span = span_between(begin, end, clockwork, grain)
    with store.reading() as uow:
        environment, flag, watch, cells = _read(uow, place, span, grain)
        within = Filter(flag=flag.key, since=_instant(span.first, now), until=until)
        entries = uow.audit.newest(environment.id, within, MOST_EVENTS)
        routing = describe_routing(uow, environment.id, flag, cells, now)
        points = thinned(uow.trails.between(environment.id, flag.key, span.first, span.until), span.step)
    cells = [cell for cell in cells if is_served(cell[0])]
    return {
        "verdict": health_word(flag, watch) or "inconclusive",
        "judged": health_word(flag, watch) is not None,
        "held": is_held(flag, watch, now),
        "because": watch.because if watch else "",
        "step": watch.step.value if watch else None,
        "evidence": evidence.one_in(_overall(flag, watch)),
        "waiting_for": waiting_for(flag, watch, now),
        "step_seconds": span.step,
        "series": series_of(cells, span, uncertainty_of(flag.guardrails, Evidence())),
        "course": flag_course(points, flag),
        "operations": {
            name: {
                **_judged(flag, name, watch, now),
                "series": _series(flag, name, watch, cells, span),
                "course": operation_course(points, flag, name, _seen(watch, name)),
                **routing[name],
            }
            for name in flag.operations
        },
        "limits": {name: _limits(flag, name) for name in flag.operations},
        "events": [_event(entry) for entry in reversed(entries)],
    }


def operation_series(
    store: Store, place: Place, now: datetime, clockwork: Clockwork, since: datetime
) -> dict[str, Any]:
    """Operation → its series up to now, as `flag_health` has it, without the work for the rest. Raises NotFound."""
    grain = grain_for((now - since).total_seconds(), now - since, clockwork.retention)
    span = span_between(since, now, clockwork, grain)
    with store.reading() as uow:
        _, flag, watch, cells = _read(uow, place, span, grain)
    cells = [cell for cell in cells if is_served(cell[0])]
    return {name: _series(flag, name, watch, cells, span) for name in flag.operations}


def _read(uow: UnitOfWork, place: Place, span: Span, grain: Grain) -> tuple[Environment, Flag, Watch | None, Cells]:
    """What a span is shown from; the watch only where it is of the attempt that runs. Raises NotFound."""
    environment = uow.environments.get(place.environment)
    flag = uow.flags.get(environment.id, place.flag)
    watch = uow.watches.get(environment.id, flag.key)
    cells = uow.buckets.shown(environment.id, flag.key, span.first, span.until, grain)
    return environment, flag, watch if watch and watch.attempt == flag.rollout.attempt else None, cells


def _overall(flag: Flag, watch: Watch | None) -> float:
    """The same sum as the one that decides."""
    return flag_evidence(list(attempted(flag, watch.evidence if watch else {}).values()))


def _judged(flag: Flag, name: str, watch: Watch | None, now: datetime) -> dict[str, Any]:
    findings = [finding for finding in watch.findings if finding.operation == name] if watch else []
    return {
        "verdict": worst(findings).value,
        "waiting_for": operation_waits_for(flag, name, findings),
        "findings": [{**_finding(finding), "holds": holds(finding, flag, now)} for finding in findings],
        "rates": _rates(flag, name, watch),
    }


def _seen(watch: Watch | None, name: str) -> Evidence:
    return watch.evidence.get(name, Evidence()) if watch else Evidence()


def _series(flag: Flag, name: str, watch: Watch | None, cells: Cells, span: Span) -> dict[str, Any]:
    own = [cell for cell in cells if cell[0].operation == name]
    return series_of(own, span, uncertainty_of(flag.guardrails_of(name), _seen(watch, name)))


def _rates(flag: Flag, name: str, watch: Watch | None) -> dict[str, Any] | None:
    """Both rates of the attempt with their intervals, and how many times worse the candidate is; None without any."""
    limits, seen = flag.guardrails_of(name), watch.evidence.get(name) if watch else None
    if limits is None or seen is None or not seen.assignments:
        return None
    rates = rates_of(seen, limits)
    return {
        "confidence": rates.confidence,
        "baseline": {"rate": rates.baseline, **_interval(rates.baseline_interval)},
        "candidate": {"rate": rates.candidate, **_interval(rates.candidate_interval)},
        "ratio": _interval(rates.ratio),
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    """`high` is null where nothing speaks against any large value."""
    return {"low": interval.low, "high": interval.high if math.isfinite(interval.high) else None}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        **finding.numbers,
        "guardrail": finding.guardrail,
        "verdict": finding.verdict.value,
        "sentence": finding.sentence,
        "consequence": finding.consequence.value,
    }


def _limits(flag: Flag, name: str) -> dict[str, Any]:
    limits = flag.guardrails_of(name)
    return {
        "max_error_rate": limits.max_error_rate if limits else None,
        "max_latency_ms": dict(limits.max_latency_ms) if limits else {},
    }


def _event(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "action": entry.action.value,
        "actor": {"kind": entry.actor.kind.value, "name": entry.actor.name},
        "sentence": entry.reason,
    }


def _instant(seconds: int, now: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, tz=now.tzinfo)
