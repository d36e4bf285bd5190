"""Instances: which processes poll and report, and whether a flip has landed in all of them."""

from datetime import datetime
from typing import Any

from controlplane.domain import convergence as landing
from controlplane.domain.convergence import Barrier, Fleet, Process, Target, fleet_of
from controlplane.domain.flag import Flag
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.store.instances import Instance
from controlplane.usecases.changing import Gate, Place

SILENT_AFTER = landing.SILENT_AFTER.total_seconds()
GONE_AFTER = landing.GONE_AFTER.total_seconds()


def list_instances(store: Store, environment: str, now: datetime) -> list[dict[str, Any]]:
    """Every process heard of in the last days, the silent ones marked."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        return [_described(each, row, now) for each in uow.instances.all(row.id)]


def convergence(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """How many live instances obey the flag as it is now, and which do not yet. Raises NotFound."""
    with store.reading() as uow:
        row = uow.environments.get(place.environment)
        flag = uow.flags.get(row.id, place.flag)
        fleet = fleet_of_flag(uow, row, flag, now)
        known = {each.instance: _described(each, row, now) for each in uow.instances.all(row.id)}
    behind = {each.name: {**known[each.name], **_lag(fleet, each)} for each in fleet.behind}
    return {
        "version": fleet.target.version,
        "since": fleet.target.since.isoformat(),
        "sentence": fleet.sentence,
        "instances": fleet.size,
        "on_newest": len(fleet.landed),
        "behind": [told for told in behind.values() if not told["silent"]],
        "silent": [behind.get(each.name, known[each.name]) for each in fleet.silent],
    }


def _lag(fleet: Fleet, process: Process) -> dict[str, float]:
    return {"behind_seconds": fleet.behind_for(process).total_seconds()}


def fleet_of_flag(uow: UnitOfWork, environment: Environment, flag: Flag, now: datetime) -> Fleet:
    """The live instances, by whether they obey the newest change of a flag."""
    since = flag.updated_at or flag.created_at or now
    target = Target(environment.source, flag.published or environment.version, since)
    heard = [
        Process(each.instance, each.source, each.version, each.first_seen_at, each.last_seen_at)
        for each in uow.instances.all(environment.id)
    ]
    return fleet_of(heard, target, now)


def barrier(now: datetime) -> Gate:
    """Nobody goes past a barrier that blocks while a live instance is behind, whoever asks."""

    def obstacle(uow: UnitOfWork, environment: Environment, flag: Flag) -> str | None:
        if flag.plan is None or flag.plan.barrier is not Barrier.BLOCK:
            return None
        found = fleet_of_flag(uow, environment, flag, now).obstacle
        return f"{found}: wait for it, stop it, or pause and take the barrier out of the plan" if found else None

    return obstacle


def _described(each: Instance, environment: Environment, now: datetime) -> dict[str, Any]:
    age = max(0.0, (now - each.last_seen_at).total_seconds())
    return {
        "instance": each.instance,
        "service": each.service,
        "sdk": each.sdk,
        "source": each.source,
        "version": each.version,
        "is_current": each.source == environment.source and each.version >= environment.version,
        "first_seen_at": each.first_seen_at.isoformat(),
        "last_seen_at": each.last_seen_at.isoformat(),
        "age_seconds": age,
        "silent": age > SILENT_AFTER,
        "reports": each.has_reported,
        "overrides": dict(each.overrides),
    }
