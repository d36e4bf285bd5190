"""Health: what was judged of a flag and what it looks like over time, for a page or a machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain import evidence, histogram
from controlplane.domain.audit import AuditEntry
from controlplane.domain.findings import Finding, worst
from controlplane.domain.flag import Flag, Side
from controlplane.domain.health import log_share_of_evidence
from controlplane.domain.intervals import Interval
from controlplane.domain.observation import Arm, total
from controlplane.domain.rates import rates_of
from controlplane.domain.retention import Grain, grain_for
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.audit import Filter
from controlplane.store.watches import Watch
from controlplane.usecases.answers import health_word
from controlplane.usecases.changing import Place
from controlplane.usecases.judging import Cells, is_served
from controlplane.usecases.routing import describe_routing

SPAN = timedelta(minutes=15)
MOST_POINTS = 360
MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time cut into steps; `first` and `until` are seconds since the epoch, multiples of `step`."""

    first: int
    until: int
    step: int

    @property
    def starts(self) -> list[int]:
        return list(range(self.first, self.until, self.step))


def span_between(since: datetime, until: datetime, clockwork: Clockwork, grain: Grain = Grain.RAW) -> Span:
    """Steps of whole buckets, and of whole cells of a grain: at most 360, and one more to begin within."""
    cell = grain.seconds * -(-clockwork.bucket_seconds // grain.seconds)
    length = max(cell, (until - since).total_seconds())
    step = cell * max(1, -(-int(length) // (cell * MOST_POINTS)))
    last = -(-int(until.timestamp()) // step) * step
    first = int(until.timestamp() - length)
    return Span(first - first % step, last, step)


def flag_health(
    store: Store,
    place: Place,
    now: datetime,
    clockwork: Clockwork,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Verdict, findings, series and events of a flag; by default of the last 15 minutes. Raises NotFound.

    A long span, and one of long ago, is read at a coarser grain.
    """
    end = until or now
    begin = since or end - SPAN
    grain = grain_for((end - begin).total_seconds(), now - begin, clockwork.retention)
    span = span_between(begin, end, clockwork, grain)
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        watch = uow.watches.get(environment.id, flag.key)
        cells = uow.buckets.seen(environment.id, flag.key, span.first, span.until, grain)
        within = Filter(flag=flag.key, since=_instant(span.first, now), until=until)
        entries = uow.audit.newest(environment.id, within, MOST_EVENTS)
        routing = describe_routing(uow, environment.id, flag, cells, now)
    cells = [cell for cell in cells if is_served(cell[0])]
    watch = watch if watch and watch.attempt == flag.rollout.attempt else None
    return {
        "verdict": health_word(flag, watch) or "inconclusive",
        "judged": health_word(flag, watch) is not None,
        "because": watch.because if watch else "",
        "step": watch.step.value if watch else None,
        "evidence": evidence.one_in(_overall(flag, watch)),
        "operations": {
            name: {**_operation(name, watch, cells, span), **routing[name], "rates": _rates(flag, name, watch)}
            for name in flag.operations
        },
        "limits": {name: _limits(flag, name) for name in flag.operations},
        "events": [_event(entry) for entry in reversed(entries)],
    }


def _overall(flag: Flag, watch: Watch | None) -> float:
    """The same sum as the one that decides: over the exposed operations only."""
    seen = watch.evidence if watch else {}
    return log_share_of_evidence([seen[name] for name in flag.exposed_operations if name in seen])


def _operation(name: str, watch: Watch | None, cells: Cells, span: Span) -> dict[str, Any]:
    findings = [finding for finding in watch.findings if finding.operation == name] if watch else []
    own = [cell for cell in cells if cell[0].operation == name]
    return {
        "verdict": worst(findings).value,
        "findings": [_finding(finding) for finding in findings],
        "series": {
            "starts": span.starts,
            "baseline": _series(own, Side.BASELINE, span),
            "candidate": _series(own, Side.CANDIDATE, span),
        },
    }


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


def _series(cells: Cells, side: Side, span: Span) -> dict[str, list[Any]]:
    by_step: dict[int, list[Arm]] = {}
    for place, arm in cells:
        if place.side is side:
            by_step.setdefault(place.start - place.start % span.step, []).append(arm)
    arms = [total(by_step.get(start, [])) for start in span.starts]
    return {
        "calls": [arm.calls for arm in arms],
        "error_rate": [arm.error_rate for arm in arms],
        "p50_ms": _quantiles(arms, 0.5),
        "p95_ms": _quantiles(arms, 0.95),
        "p99_ms": _quantiles(arms, 0.99),
    }


def _quantiles(arms: Sequence[Arm], quantile: float) -> list[float | None]:
    return [None if (ms := histogram.quantile_ms(arm.latency, quantile)) is None else round(ms, 3) for arm in arms]


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
