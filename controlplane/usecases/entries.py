"""Entries: what is written in the audit log, as the contract words it."""

from typing import Any

from controlplane.domain.audit import Actor, AuditEntry
from controlplane.store import Store
from controlplane.store.audit import Filter
from controlplane.usecases.changing import Place


def describe_entry(entry: AuditEntry) -> dict[str, Any]:
    """An audit entry as the contract words it."""
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": answer_actor(entry.actor),
        "action": entry.action.value,
        "flag": entry.flag,
        "reason": entry.reason,
        "changes": [{"path": each.path, "from": each.before, "to": each.after} for each in entry.changes],
        "version": entry.version,
        "request_id": entry.request_id,
        "record": dict(entry.record),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def answer_actor(actor: Actor) -> dict[str, str]:
    """`via` is there for a person who acted by a token of their own."""
    told = {"kind": actor.kind.value, "name": actor.name}
    return {**told, "via": actor.via} if actor.via else told


def newest_changes(store: Store, place: Place, limit: int = 20) -> list[dict[str, Any]]:
    """The last audit entries of one flag."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        found = uow.audit.newest(environment.id, Filter(flag=place.flag), limit)
    return [describe_entry(entry) for entry in found]
