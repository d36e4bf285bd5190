"""Health: what was judged of a flag and what it looks like over time, for a page or a machine."""

import math
from datetime import datetime
from typing import Any

from controlplane.domain import evidence
from controlplane.domain.findings import Finding, worst
from controlplane.domain.flag import Flag
from controlplane.domain.health import flag_evidence
from controlplane.domain.intervals import Interval
from controlplane.domain.observation import Evidence
from controlplane.domain.rates import rates_of
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.watches import Watch
from controlplane.usecases.changing import Place
from controlplane.usecases.charting import events, limits, operation_series, sight
from controlplane.usecases.condition import health_word, holds, is_held
from controlplane.usecases.judging import attempted
from controlplane.usecases.routing import describe_routing
from controlplane.usecases.series import RANGES, series_of
from controlplane.usecases.trail import flag_course, operation_course, uncertainty_of
from controlplane.usecases.waiting import operation_waits_for, waiting_for

SPAN = RANGES["15m"]


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
    with store.reading() as uow:
        seen = sight(uow, place, now, clockwork, (since or end - SPAN, end))
        happened = events(uow, seen, now, until)
        routing = describe_routing(uow, seen.environment.id, seen.flag, seen.cells, now)
        points = seen.points(uow)
    flag, watch, served = seen.flag, seen.watch, seen.served
    return {
        "verdict": health_word(flag, watch) or "inconclusive",
        "judged": health_word(flag, watch) is not None,
        "held": is_held(flag, watch, now),
        "because": watch.because if watch else "",
        "step": watch.step.value if watch else None,
        "evidence": evidence.one_in(_overall(flag, watch)),
        "waiting_for": waiting_for(flag, watch, now),
        "step_seconds": seen.span.step,
        "series": series_of(served, seen.span, uncertainty_of(flag.guardrails, Evidence())),
        "course": flag_course(points, flag),
        "operations": {
            name: {
                **_judged(flag, name, watch, now),
                "series": operation_series(seen, name, served),
                "course": operation_course(points, flag, name, seen.seen(name)),
                **routing[name],
            }
            for name in flag.operations
        },
        "limits": {name: limits(flag, name) for name in flag.operations},
        "events": happened,
    }


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


def _rates(flag: Flag, name: str, watch: Watch | None) -> dict[str, Any] | None:
    """Both rates of the attempt with their intervals, and how many times worse the candidate is; None without any."""
    guardrails, seen = flag.guardrails_of(name), watch.evidence.get(name) if watch else None
    if guardrails is None or seen is None or not seen.assignments:
        return None
    rates = rates_of(seen, guardrails)
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
