"""Audit log: append and list. There is no update and no delete."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, func, insert, select

from controlplane.domain.audit import Action, Actor, ActorKind, AuditEntry, Change, sealed
from controlplane.store.environments import Environment, Environments
from controlplane.store.tables import audit_entries


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: every field that is given must match. `before` is an entry id, for paging backwards."""

    flag: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    text: str | None = None  # part of a reason or of a change, whatever the capitals


@dataclass(frozen=True, slots=True)
class LastChange:
    """What a list tells of an entry."""

    id: int
    at: datetime
    actor: Actor
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """A step of a rollout, as a picture of it needs one: `after` is path → what it became."""

    at: datetime
    action: Action
    after: Mapping[str, Any]


_MOVES = (
    *(Action.ROLLOUT_START, Action.ROLLOUT_ADVANCE, Action.ROLLOUT_STEP_BACK, Action.ROLLOUT_PAUSE),
    *(Action.ROLLOUT_RESUME, Action.ROLLOUT_ABORT, Action.ROLLOUT_ROLL_BACK, Action.ROLLOUT_UNLOCK),
    *(Action.ROLLOUT_COMPLETE, Action.ROLLOUT_FINISH),
)
_LAST = [audit_entries.c[name] for name in ("flag", "id", "at", "actor_kind", "actor_name", "action", "reason")]


class AuditLog:
    """The chained entries of each environment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, environment: Environment, entry: AuditEntry) -> AuditEntry:
        """The entry as it was chained; `id`, `previous` and `hash` are given here. Needs the environment's lock."""
        chained = replace(
            entry, id=environment.audit_length + 1, previous=environment.audit_head, record=_record(entry)
        )
        chained = replace(chained, hash=sealed(chained, environment.name))
        self._connection.execute(insert(audit_entries).values(_values(environment.id, chained)))
        Environments(self._connection).set_audit_head(environment, chained.id, chained.hash)
        return chained

    def newest(self, environment_id: int, wanted: Filter, limit: int) -> list[AuditEntry]:
        """Entries from the newest backwards."""
        query = _filtered(select(audit_entries).where(audit_entries.c.environment_id == environment_id), wanted)
        rows = self._connection.execute(query.order_by(audit_entries.c.id.desc()).limit(limit))
        return [_entry(row) for row in rows]

    def moves(self, environment_id: int, flag: str, limit: int) -> list[Move]:
        """The steps of a flag's newest attempt in the order of time, the newest `limit` of them."""
        columns = audit_entries.c
        own = (columns.environment_id == environment_id) & (columns.flag == flag)
        begun = select(func.max(columns.id)).where(own, columns.action == Action.ROLLOUT_START.value).scalar_subquery()
        query = (
            select(columns.at, columns.action, columns.changes)
            .where(own, columns.id >= begun, columns.action.in_([action.value for action in _MOVES]))
            .order_by(columns.id.desc())
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        return [Move(at, Action(action), {path: after for path, _, after in told}) for at, action, told in rows[::-1]]

    def decisions(
        self, environment_id: int, actions: Collection[Action], since: datetime
    ) -> dict[str, list[tuple[int, int]]]:
        """Flag → (attempt, judged_until) of each step that the scheduler took since an instant."""
        columns = audit_entries.c
        query = (
            select(columns.flag, columns.record)
            .where(columns.environment_id == environment_id, columns.actor_kind == ActorKind.SCHEDULER.value)
            .where(columns.at >= since, columns.action.in_([action.value for action in actions]))
        )
        found: dict[str, list[tuple[int, int]]] = {}
        for row in self._connection.execute(query):
            if "judged_until" in row.record:
                found.setdefault(row.flag, []).append((row.record["attempt"], row.record["judged_until"]))
        return found

    def get(self, environment_id: int, entry_id: int) -> AuditEntry | None:
        query = select(audit_entries).where(
            audit_entries.c.environment_id == environment_id, audit_entries.c.id == entry_id
        )
        row = self._connection.execute(query).one_or_none()
        return _entry(row) if row else None

    def after(self, environment_id: int, entry_id: int, limit: int) -> list[AuditEntry]:
        """Entries that follow one, in their order."""
        columns = audit_entries.c
        query = select(audit_entries).where(columns.environment_id == environment_id, columns.id > entry_id)
        return [_entry(row) for row in self._connection.execute(query.order_by(columns.id).limit(limit))]

    def newest_by_flag(self, environment_id: int) -> dict[str, LastChange]:
        """The last entry of each flag, without the weight of what it changed."""
        here = audit_entries.c.environment_id == environment_id
        newest = select(func.max(audit_entries.c.id)).where(here).group_by(audit_entries.c.flag)
        rows = self._connection.execute(select(*_LAST).where(here, audit_entries.c.id.in_(newest)))
        return {
            flag: LastChange(entry, at, Actor(ActorKind(kind), name), Action(action), reason)
            for flag, entry, at, kind, name, action, reason in rows
            if flag
        }

    def chain(self, environment_id: int) -> Iterator[AuditEntry]:
        """Every entry from the first one on."""
        query = select(audit_entries).where(audit_entries.c.environment_id == environment_id)
        for row in self._connection.execute(query.order_by(audit_entries.c.id)):
            yield _entry(row)


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    columns = audit_entries.c
    for column, value in (
        (columns.flag, wanted.flag),
        (columns.actor_name, wanted.actor),
        (columns.action, wanted.action),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.text is not None:
        query = query.where(_mentions(wanted.text))
    if wanted.before is not None:
        query = query.where(columns.id < wanted.before)
    return query


def _mentions(words: str) -> ColumnElement[bool]:
    """In a reason, or in a change, which is kept as JSON: there a quotation mark is escaped."""
    columns, escaped = audit_entries.c, json.dumps(words, ensure_ascii=False)[1:-1]
    return columns.reason.icontains(words, autoescape=True) | cast(columns.changes, Text).icontains(
        escaped, autoescape=True
    )


def _record(entry: AuditEntry) -> dict[str, Any]:
    """What was decided on; and the token a person acted by, which the chain covers here without a field of its own."""
    return {**entry.record, **({"via": entry.actor.via} if entry.actor.via else {})}


def _values(environment_id: int, entry: AuditEntry) -> dict[str, Any]:
    return {
        "environment_id": environment_id,
        "id": entry.id,
        "at": entry.at,
        "actor_kind": entry.actor.kind.value,
        "actor_name": entry.actor.name,
        "action": entry.action.value,
        "flag": entry.flag,
        "reason": entry.reason,
        "changes": [[change.path, change.before, change.after] for change in entry.changes],
        "version": entry.version,
        "request_id": entry.request_id,
        "record": dict(entry.record),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=Actor(ActorKind(row.actor_kind), row.actor_name, row.record.get("via", "")),
        action=Action(row.action),
        flag=row.flag,
        reason=row.reason,
        changes=tuple(Change(*change) for change in row.changes),
        version=row.version,
        request_id=row.request_id,
        record=row.record,
        previous=row.previous,
        hash=row.hash,
    )
