"""Listing: all flags of an environment, each with its health in one word and its last change."""

from datetime import datetime
from typing import Any

from controlplane.documents.flag import sides_document
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.share import to_percent
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import LastChange
from controlplane.store.watches import Watch
from controlplane.usecases.answers import answer_flag, answer_rollout_briefly
from controlplane.usecases.backlog import backlog_of
from controlplane.usecases.condition import health_word, is_held
from controlplane.usecases.entries import answer_actor


def describe_flags(store: Store, environment: str, now: datetime, *, archived: bool = False) -> list[dict[str, Any]]:
    """Every flag with its health in one word and its last change."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        listed = _listing(uow, row.id, archived=archived)
        backlogs = {flag.key: backlog_of(uow, row.id, flag) for flag, *_ in listed if moves_data(flag)}
    return [
        {**answer_flag(flag, watch, now, backlogs.get(flag.key)), **_state(flag, watch, change, now)}
        for flag, watch, change in listed
    ]


def brief_flags(store: Store, environment: str, now: datetime, *, archived: bool = False) -> list[dict[str, Any]]:
    """The same for a list of very many: of each definition only what such a list shows and searches."""
    with store.reading() as uow:
        listed = _listing(uow, uow.environments.get(environment).id, archived=archived)
    return [
        {**_brief(flag), "rollout": answer_rollout_briefly(flag, watch, now), **_state(flag, watch, change, now)}
        for flag, watch, change in listed
    ]


def _listing(
    uow: UnitOfWork, environment_id: int, *, archived: bool
) -> list[tuple[Flag, Watch | None, LastChange | None]]:
    flags = uow.flags.all(environment_id, archived=archived)
    watches, changes = uow.watches.all(environment_id), uow.audit.newest_by_flag(environment_id)
    return [(flag, watches.get(flag.key), changes.get(flag.key)) for flag in flags]


def _brief(flag: Flag) -> dict[str, Any]:
    return {
        "key": flag.key,
        "kind": flag.kind.value,
        "description": flag.description,
        "owner": flag.owner,
        "tags": list(flag.tags),
        **sides_document(flag),
        "enabled": flag.enabled,
        "operations": {name: {"percent": to_percent(each.share)} for name, each in flag.operations.items()},
        "version": flag.version,
        "archived_at": flag.archived_at.isoformat() if flag.archived_at else None,
    }


def _state(flag: Flag, watch: Watch | None, change: LastChange | None, now: datetime) -> dict[str, Any]:
    return {
        "health": health_word(flag, watch),
        "held": is_held(flag, watch, now),
        "last_change": {
            "at": change.at.isoformat(),
            "actor": answer_actor(change.actor),
            "action": change.action.value,
            "reason": change.reason,
        }
        if change
        else None,
    }
