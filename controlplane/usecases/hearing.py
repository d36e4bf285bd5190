"""Hearing: what live processes tell of open breakers, for the next tick instead of the next sealed bucket."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.findings import Finding
from controlplane.domain.flag import Flag
from controlplane.domain.guardrails import Guardrails
from controlplane.domain.observation import Evidence, design_effect_of
from controlplane.domain.open_breakers import Asked, Side, Told, open_breakers
from controlplane.store import UnitOfWork
from controlplane.store.instances import Voice
from controlplane.store.watches import Watch

FRESH = timedelta(seconds=30)  # what was told before that is left to the sealed buckets
BUCKETS = 60.0  # seconds: how long ago the newest bucket of what was told may have begun


@dataclass(frozen=True, slots=True)
class Heard:
    """Processes heard of lately, and for each flag the services that have called it before."""

    voices: Sequence[Voice] = ()
    services: Mapping[str, frozenset[str]] = field(default_factory=dict)


def hear(uow: UnitOfWork, environment_id: int, now: datetime) -> Heard:
    """Nothing more is read where nobody tells of an open breaker, which is nearly always."""
    live = uow.instances.voices(environment_id, now - FRESH)
    flags = {told["flag"] for each in live for told in each.breakers if told.get("so_far")}
    services: dict[str, set[str]] = {flag: set() for flag in flags}
    for caller in uow.callers.of(environment_id, flags) if flags else ():
        services[caller.flag].add(caller.service)
    return Heard(live, {flag: frozenset(own) for flag, own in services.items()})


def told_of(heard: Heard, flag: Flag, watch: Watch, now: datetime) -> tuple[Finding, ...]:
    """The operations of a flag whose candidate is dead by what open breakers tell."""
    if flag.key not in heard.services or not flag.guardrails:
        return ()
    return tuple(
        finding
        for name in flag.exposed_operations
        if (limits := flag.guardrails_of(name))
        for finding in open_breakers(limits, _asked(heard, flag, name, limits, watch, now))
    )


def _asked(heard: Heard, flag: Flag, name: str, limits: Guardrails, watch: Watch, now: datetime) -> Asked:
    telling = {each.instance: told for each in heard.voices for told in _told(each, flag, name, now)}
    services = heard.services[flag.key] | {each.service for each in heard.voices if each.instance in telling}
    quiet = sum(each.service in services and each.instance not in telling for each in heard.voices)
    seen = watch.evidence.get(name, Evidence())
    return Asked(
        operation=name,
        baseline_name=flag.baseline,
        candidate_name=flag.candidate,
        share=flag.operations[name].share,
        told=() if _baseline_tripped(heard, flag, name) else tuple(telling.values()),
        quiet=quiet,
        operations=len(flag.attempted_operations),
        design_effect=design_effect_of(seen, limits),
        refusals=seen.refusals,
        at=int(now.timestamp()),
    )


def _told(voice: Voice, flag: Flag, name: str, now: datetime) -> Iterator[Told]:
    """A report that waited for its sending, or is of an earlier attempt, tells of another time."""
    for breaker in _breakers(voice, flag, name, "candidate"):
        so_far = breaker.get("so_far")
        if so_far and so_far["attempt"] == flag.rollout.attempt and abs(now.timestamp() - so_far["start"]) <= BUCKETS:
            yield Told(Side(**so_far["baseline"]), Side(**so_far["candidate"]), max(1, breaker.get("opens", 1)))


def _baseline_tripped(heard: Heard, flag: Flag, name: str) -> bool:
    """A baseline's breaker only measures, and is told of when it would have opened: an incident of both sides."""
    return any(True for each in heard.voices for _ in _breakers(each, flag, name, "baseline"))


def _breakers(voice: Voice, flag: Flag, name: str, side: str) -> Iterator[Mapping[str, Any]]:
    for told in voice.breakers:
        if (told["flag"], told["operation"], told["side"]) == (flag.key, name, side):
            yield told
