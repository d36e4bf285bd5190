"""Audit: who changed what, when, from what to what and why; each entry chained to the one before it by its hash."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64


class ActorKind(StrEnum):
    """Who can ask for a change."""

    PERSON = "person"
    TOKEN = "token"
    SCHEDULER = "scheduler"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Actor:
    """`via` names the own token by which a person acted; empty for one who was there."""

    kind: ActorKind
    name: str
    via: str = ""


SCHEDULER = Actor(ActorKind.SCHEDULER, "scheduler")


class Action(StrEnum):
    """Everything that can happen to a flag or its surroundings, as subject:verb."""

    FLAG_CREATE = "flag:create"
    FLAG_UPDATE = "flag:update"
    FLAG_ENABLE = "flag:enable"
    FLAG_DISABLE = "flag:disable"
    FLAG_ARCHIVE = "flag:archive"
    FLAG_RETIRE = "flag:retire"
    FLAG_REVERT = "flag:revert"
    FLAG_RECONCILE = "flag:reconcile"
    SHARE_SET = "share:set"
    OPERATION_SET = "operation:set"
    OPERATION_REMOVE = "operation:remove"
    GUARDRAIL_SET = "guardrail:set"
    TARGETING_SET = "targeting:set"
    PLAN_SET = "plan:set"
    ROLLOUT_START = "rollout:start"
    ROLLOUT_PAUSE = "rollout:pause"
    ROLLOUT_RESUME = "rollout:resume"
    ROLLOUT_ADVANCE = "rollout:advance"
    ROLLOUT_STEP_BACK = "rollout:step_back"
    ROLLOUT_ASK = "rollout:ask"
    ROLLOUT_APPROVE = "rollout:approve"
    ROLLOUT_ABORT = "rollout:abort"
    ROLLOUT_ROLL_BACK = "rollout:roll_back"
    ROLLOUT_WOULD_ROLL_BACK = "rollout:would_roll_back"
    ROLLOUT_HOLD = "rollout:hold"
    ROLLOUT_UNLOCK = "rollout:unlock"
    ROLLOUT_COMPLETE = "rollout:complete"
    ROLLOUT_FINISH = "rollout:finish"
    APPOINTMENT_MAKE = "appointment:make"
    APPOINTMENT_CANCEL = "appointment:cancel"
    APPOINTMENT_FAIL = "appointment:fail"
    CHECKLIST_SET = "checklist:set"
    EVIDENCE_ATTACH = "evidence:attach"
    FREEZE_ADD = "freeze:add"
    FREEZE_REMOVE = "freeze:remove"
    ENVIRONMENT_CREATE = "environment:create"
    ENVIRONMENT_SET = "environment:set"
    ENVIRONMENT_RESTORE = "environment:restore"
    TOKEN_CREATE = "token:create"
    TOKEN_REVOKE = "token:revoke"
    WEBHOOK_CREATE = "webhook:create"
    WEBHOOK_SET = "webhook:set"
    WEBHOOK_DELETE = "webhook:delete"
    WEBHOOK_ROTATE = "webhook:rotate"
    WEBHOOK_TEST = "webhook:test"
    WEBHOOK_REDELIVER = "webhook:redeliver"
    WEBHOOK_DISABLE = "webhook:disable"
    PERSON_ADD = "person:add"
    PERSON_SET_ROLE = "person:set_role"
    PERSON_DISABLE = "person:disable"
    PERSON_ENABLE = "person:enable"
    PERSON_SET_PASSWORD = "person:set_password"
    PERSON_CREATE_LINK = "person:create_link"
    PERSON_SIGN_IN = "person:sign_in"


@dataclass(frozen=True, slots=True)
class Change:
    """One field: its path, what it was and what it is. None means absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`id` counts from 1 within an environment; `record` holds the numbers an automatic change was decided on."""

    id: int
    at: datetime
    actor: Actor
    action: Action
    flag: str | None
    reason: str
    changes: tuple[Change, ...]
    version: int | None
    request_id: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    previous: str = GENESIS
    hash: str = ""


def differences(before: Any, after: Any, path: str = "") -> Iterator[Change]:  # noqa: ANN401 - JSON values
    """Field-level changes between two JSON documents, in the order of their fields."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield Change(path, before, after)


def sealed(entry: AuditEntry, environment: str) -> str:
    """The hash of an entry: SHA-256 over its canonical JSON, the hash before it included."""
    body = {
        "environment": environment,
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(),
        "actor": [entry.actor.kind.value, entry.actor.name],
        "action": entry.action.value,
        "flag": entry.flag,
        "reason": entry.reason,
        "changes": [[change.path, change.before, change.after] for change in entry.changes],
        "version": entry.version,
        "request_id": entry.request_id,
        "record": dict(entry.record),
        "previous": entry.previous,
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, and how."""

    entry: int
    because: str


def first_break(entries: Sequence[AuditEntry], environment: str, *, head: str, length: int) -> Break | None:
    """The first entry that was changed, removed or inserted; None for an intact chain.

    `head` and `length` are kept outside the entries, so that a cut-off end shows as well.
    """
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        if entry.id != expected:
            return Break(expected, f"entry {expected} is missing")
        if entry.previous != previous:
            return Break(entry.id, f"entry {entry.id} does not follow the one before it")
        if entry.hash != sealed(entry, environment):
            return Break(entry.id, f"entry {entry.id} was changed after it was written")
        previous = entry.hash
    if len(entries) > length:
        return Break(length + 1, f"entry {length + 1} was never recorded as the newest")
    if len(entries) < length:
        return Break(len(entries) + 1, f"{length - len(entries)} entries are missing at the end")
    if previous != head:
        return Break(length, "the newest entry is not the one that was recorded last")
    return None
