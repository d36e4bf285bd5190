"""Planning: what each stage of a plan could see in the traffic there is, before anybody is exposed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

from controlplane.documents.flag import parse_plan
from controlplane.domain.arm import Arm, total
from controlplane.domain.errors import Refused
from controlplane.domain.flag import Flag
from controlplane.domain.forecast import Forecast, Traffic, forecast, smallest_share
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.plan import Plan
from controlplane.domain.precheck import Precheck, told
from controlplane.domain.retention import grain_for
from controlplane.domain.routing import TOLD_AS_METRICS
from controlplane.domain.share import FULL, to_percent
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.words import percent, seconds
from controlplane.store import Store
from controlplane.store.reports import Place as Cell
from controlplane.usecases.changing import Place
from controlplane.usecases.prechecking import before

LOOKS_BACK = timedelta(hours=24)
LEAST_RATE = 0.001  # where nothing has failed yet: a doubling of nothing is nothing
LEAST_KEYS, MOST_KEYS = 200, 20_000  # of the minimum of samples that is proposed
RESCUES = frozenset(
    {"fallback", "breaker", "shadow", "probe"}
)  # calls that another call of the same request stands for


class _Weights(TypedDict):
    design_effect: float
    operations: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What one operation lives through: its traffic, and the limits that a plan of its flag is judged by."""

    name: str
    traffic: Traffic | None
    limits: Guardrails | None
    design_effect: float
    operations: int
    halves: str = ""  # what the design effect rests on

    def sees(self, share: int, times: float = 2.0) -> Forecast | None:
        if self.traffic is None or self.limits is None or self.limits.compare is None:
            return None
        return forecast(_at_least(self.traffic), share, self.limits.compare, times=times, **self._weights)

    def wants(self, within: float) -> int | None:
        """The smallest share that would see it in time."""
        if self.traffic is None or self.limits is None or self.limits.compare is None:
            return None
        return smallest_share(_at_least(self.traffic), within, self.limits.compare, **self._weights)

    @property
    def _weights(self) -> _Weights:
        return {"design_effect": self.design_effect, "operations": self.operations}


def forecast_plan(
    store: Store, place: Place, now: datetime, clockwork: Clockwork, document: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """How soon each stage sees a doubling of the failures, with the traffic of the last day.

    Of the flag's own plan, or of another one that is only tried. Raises NotFound, InvalidInput, and Refused where there
    is neither.
    """
    tried = None if document is None else parse_plan(document)
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        plan = tried or flag.plan
        if plan is None:
            message = f"flag '{flag.key}' has no rollout plan: set one, or send the plan to try"
            raise Refused(message)
        grain = grain_for(LOOKS_BACK.total_seconds(), LOOKS_BACK, clockwork.retention)
        until = int(now.timestamp())
        first = until - int(LOOKS_BACK.total_seconds())
        cells = uow.buckets.seen(environment.id, flag.key, first, until, grain)
        watch = uow.watches.get(environment.id, flag.key)
        earlier = before(uow, environment.id, flag, until)
    names = [name for name in (plan.operations or tuple(flag.operations)) if name in flag.operations]
    running = watch.evidence if watch and flag.rollout.is_live else {}
    checks = {name: (running[name] if name in running else earlier[name]).precheck for name in names}
    known = [_known(flag, name, checks[name], cells, until, len(names)) for name in names]
    return {
        "looks_back_seconds": int(LOOKS_BACK.total_seconds()),
        "operations": {each.name: _told(each) for each in known},
        "stages": [_stage(plan, number, known) for number in range(len(plan.stages))],
        "warnings": list(_warnings(flag, known)),
    }


def _known(
    flag: Flag, name: str, check: Precheck, cells: Sequence[tuple[Cell, Arm]], until: int, operations: int
) -> _Known:
    limits = flag.guardrails_of(name)
    traffic = _traffic(cells, name, until)
    if limits and limits.design_effect is not None:
        return _Known(name, traffic, limits, limits.design_effect, operations, "set by hand")
    return _Known(name, traffic, limits, check.effect, operations, told(check, flag.baseline))


def _traffic(cells: Sequence[tuple[Cell, Arm]], name: str, until: int) -> Traffic | None:
    """Keys that came a second since the first report, and the part of them that failed."""
    apart = {*RESCUES, TOLD_AS_METRICS}
    own = [(place, arm) for place, arm in cells if place.operation == name and place.assigned_by not in apart]
    arm = total([arm for _, arm in own])
    if not arm.keys:
        return None
    span = max(60, until - min(place.start for place, _ in own))
    return Traffic(arm.keys / span, arm.bad_keys / arm.keys)


def _at_least(traffic: Traffic) -> Traffic:
    return replace(traffic, failure_rate=max(LEAST_RATE, traffic.failure_rate))


def _told(known: _Known) -> dict[str, Any]:
    traffic = known.traffic
    return {
        "keys_per_second": round(traffic.keys_per_second, 3) if traffic else None,
        "failure_rate": traffic.failure_rate if traffic else None,
        "forecast_rate": _at_least(traffic).failure_rate if traffic else None,
        "design_effect": round(known.design_effect, 3),
        "design_effect_from": known.halves,
    }


def _stage(plan: Plan, number: int, known: Sequence[_Known]) -> dict[str, Any]:
    stage = plan.stages[number]
    seen = {each.name: (each, each.sees(plan.share_of(each.name, number))) for each in known}
    slowest = max((found for _, found in seen.values() if found), key=lambda each: each.median_seconds, default=None)
    return {
        "percent": to_percent(stage.share),
        "bake_seconds": stage.bake.total_seconds(),
        "median_seconds": round(slowest.median_seconds, 1) if slowest else None,
        "p95_seconds": round(slowest.p95_seconds, 1) if slowest else None,
        "min_samples": _least_samples(plan, number, known),
        "sentence": _sentence(plan, number, list(seen.values())),
        "is_blind": _is_blind(plan, stage.bake, stage.share, slowest),
    }


def _least_samples(plan: Plan, number: int, known: Sequence[_Known]) -> int | None:
    """How many keys of the candidate show a threefold failure rate: what a stage should wait for."""
    found = [seen.candidate_keys for each in known if (seen := each.sees(plan.share_of(each.name, number), 3.0))]
    return round(min(max(*found, LEAST_KEYS), MOST_KEYS)) if found else None


def _is_blind(plan: Plan, bake: timedelta, share: int, slowest: Forecast | None) -> bool:
    """Where data move the last phases are at 100 %, and nobody can do anything about it."""
    if share >= FULL:
        return not plan.moves_data
    return slowest is not None and slowest.median_seconds > bake.total_seconds()


def _sentence(plan: Plan, number: int, seen: Sequence[tuple[_Known, Forecast | None]]) -> str:
    stage = plan.stages[number]
    if stage.share >= FULL and plan.moves_data:
        return "At 100 % failures are compared with nothing: limits hold, and in the phase live answers are compared."
    if stage.share >= FULL:
        return "Nothing is left to compare with at 100 %: end at 98 %, and finish by hand."
    if all(each.traffic is None for each, _ in seen):
        return "No traffic is known yet: let services report for a while."
    found = [(each, forecast) for each, forecast in seen if forecast]
    if not found:
        return "Nothing is compared here: a doubling of the failures is tolerated, or there are no guardrails."
    each, slowest = max(found, key=lambda pair: pair[1].median_seconds)
    usual, late = seconds(slowest.median_seconds), seconds(slowest.p95_seconds)
    told = f"A doubling of the failures of {each.name} shows within {usual} in half of the cases, {late} in most."
    bake = stage.bake.total_seconds()
    if slowest.median_seconds <= bake:
        return told
    share = each.wants(bake)
    better = f"take {percent(share / FULL)}, or let it bake {usual}" if share else f"let it bake {usual}"
    return f"{told} The stage is over in {seconds(bake)}: {better}."


def _warnings(flag: Flag, known: Sequence[_Known]) -> list[str]:
    if flag.guardrails is None:
        return ["There are no guardrails: the plan advances by time alone, and nothing rolls it back."]
    unheard = [each.name for each in known if each.traffic is None]
    if unheard:
        return [f"No traffic of {', '.join(unheard)} is known from the last 24 hours."]
    return []
