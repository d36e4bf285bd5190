"""Instances: which processes report, and whether a flip has landed in all of them."""

from datetime import datetime
from typing import Any

from controlplane.store import Store
from controlplane.store.environments import Environment
from controlplane.store.instances import Instance
from controlplane.usecases.changing import Place

SILENT_AFTER = 30.0  # seconds: six report intervals
GONE_AFTER = 600.0  # seconds: a process that stopped is no reason to wait


def list_instances(store: Store, environment: str, now: datetime) -> list[dict[str, Any]]:
    """Every process heard of in the last days, the silent ones marked."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        return [_described(each, row, now) for each in uow.instances.all(row.id)]


def convergence(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """How many live instances obey the newest snapshot, and which do not yet."""
    with store.reading() as uow:
        row = uow.environments.get(place.environment)
        uow.flags.get(row.id, place.flag)
        known = [_described(each, row, now) for each in uow.instances.all(row.id)]
    live = [each for each in known if each["age_seconds"] < GONE_AFTER]
    return {
        "version": row.version,
        "instances": len(live),
        "on_newest": sum(each["is_current"] for each in live),
        "behind": [each for each in live if not each["is_current"] and not each["silent"]],
        "silent": [each for each in live if each["silent"]],
    }


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
        "overrides": dict(each.overrides),
    }
