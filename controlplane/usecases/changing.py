"""THE ONE DOOR: every change to a flag, by a person or by the scheduler, goes through `change_flag`.

One transaction saves the flag, appends the audit entry and raises the snapshot version, or none of it happens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from controlplane.documents.flag import flag_document
from controlplane.documents.state import state_document
from controlplane.domain.audit import Action, Actor, ActorKind, AuditEntry, Change, differences
from controlplane.domain.errors import FieldError, InvalidInput, Refused, StaleVersion
from controlplane.domain.flag import Flag, raises_exposure
from controlplane.domain.flag_rules import check
from controlplane.domain.phase_rules import refusal, settled
from controlplane.domain.rollout import Rollout, State
from controlplane.domain.second_person import overreach, replanned
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.usecases.moving import Move, obstacle_of

Transform = Callable[[Flag], Flag]
Gate = Callable[[UnitOfWork, Environment, Flag], str | None]  # why not, for what a flag alone cannot tell


@dataclass(frozen=True, slots=True)
class Cause:
    """Who asks for a change, when and why. `expected` is the version the asker saw; None accepts any."""

    actor: Actor
    at: datetime
    reason: str = ""
    request_id: str = ""
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A flag's address."""

    environment: str
    flag: str


@dataclass(frozen=True, slots=True)
class Order:
    """What to do to a flag. A brake ignores `expected` and works on an archived flag's terms too.

    `confirmed`: a person has written down that no way leads back.
    """

    action: Action
    transform: Transform
    brake: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)
    gate: Gate | None = None
    confirmed: bool = False
    wished_by: str = ""  # whose word it is, where somebody else carries it out


def change_flag(store: Store, place: Place, cause: Cause, order: Order) -> Flag:
    """The flag after the change. Nothing changed, nothing is written.

    Raises NotFound, StaleVersion, InvalidInput, or whatever the transform refuses with.
    """
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        flag = change_within(uow, environment, place.flag, cause, order)
        uow.commit()
    return flag


def change_within(uow: UnitOfWork, environment: Environment, key: str, cause: Cause, order: Order) -> Flag:
    """`change_flag` inside a transaction that already holds the environment's lock."""
    before = uow.flags.get(environment.id, key)
    if not order.brake and cause.expected not in {None, before.version}:
        raise StaleVersion(key, cause.expected or 0, before.version)
    if before.archived_at:
        message = f"flag '{key}' is archived and cannot be changed"
        raise Refused(message)
    after = _baking_anew(before, _opened(before, order.transform(before)), cause.at)
    after = settled(replanned(before, after, cause.actor.name))
    if _document(after) == _document(before):
        return before
    if not order.brake:
        want_reason(environment, cause)
    check(after)
    if told := overreach(before, after, order.wished_by or cause.actor.name):
        raise Refused(told)
    closed = obstacle_of(
        uow, environment.id, Move(before, after, cause.at), brake=order.brake, confirmed=order.confirmed
    )
    if closed:
        raise Refused(closed)
    if order.gate and (obstacle := order.gate(uow, environment, before)):
        raise Refused(obstacle)
    after = replace(after, version=before.version + 1, updated_at=cause.at, published=environment.version + 1)
    uow.flags.save(environment.id, before, after)
    write_down(uow, environment, cause, order, before, after)
    return after


def add_flag(store: Store, environment_name: str, flag: Flag, cause: Cause) -> Flag:
    """A new flag through the same door. Raises AlreadyExists by its use case, InvalidInput."""
    check(flag)
    flag = settled(flag)
    if obstacle := refusal(replace(flag, plan=None, rollout=Rollout()), flag):
        raise Refused(obstacle)
    with store.writing() as uow:
        environment = uow.environments.get(environment_name, lock=True)
        want_reason(environment, cause)
        uow.flags.require_free(environment.id, flag.key)
        new = replace(_opened(None, flag), version=1, created_at=cause.at, updated_at=cause.at)
        new = replace(new, published=environment.version + 1)
        uow.flags.add(environment.id, new)
        write_down(uow, environment, cause, Order(Action.FLAG_CREATE, lambda same: same), None, new)
        uow.commit()
    return new


def want_reason(environment: Environment, cause: Cause) -> None:
    """Where an environment asks for it, a change says why. Not asked of a brake. Raises InvalidInput."""
    asked = environment.require_reason and cause.actor.kind in {ActorKind.PERSON, ActorKind.TOKEN}
    if asked and not cause.reason.strip():
        message = f"is missing: '{environment.name}' wants to know why, for each change"
        raise InvalidInput((FieldError("reason", message),))


def write_note(uow: UnitOfWork, environment: Environment, cause: Cause, order: Order, flag: Flag) -> None:
    """An entry about a flag that stays as it is: nothing for services, so the snapshot keeps its version."""
    uow.audit.append(environment, _entry(cause, order, flag, ()))


def change_beside(
    uow: UnitOfWork, environment: Environment, flag: Flag, cause: Cause, order: Order, changes: tuple[Change, ...]
) -> None:
    """One entry for what is kept beside a flag, and for what follows from it for the flag itself.

    Services hear of it only if something does. An archived flag stays as it is.
    """
    after = flag if flag.archived_at else order.transform(flag)
    followed = tuple(differences(_document(flag), _document(after)))
    if followed:
        want_reason(environment, cause)
        after = replace(after, version=flag.version + 1, updated_at=cause.at, published=environment.version + 1)
        uow.flags.save(environment.id, flag, after)
        uow.environments.raise_version(environment)
    uow.audit.append(environment, _entry(cause, order, after, (*changes, *followed)))


def write_down(
    uow: UnitOfWork, environment: Environment, cause: Cause, order: Order, before: Flag | None, after: Flag
) -> None:
    """The audit entry and the new snapshot version of a change already saved."""
    old = _document(before) if before else {}
    entry = _entry(cause, order, after, tuple(differences(old, _document(after))))
    uow.audit.append(environment, entry)
    uow.environments.raise_version(environment)


def _entry(cause: Cause, order: Order, flag: Flag, changes: tuple[Change, ...]) -> AuditEntry:
    return AuditEntry(
        id=0,
        at=cause.at,
        actor=cause.actor,
        action=order.action,
        flag=flag.key,
        reason=cause.reason,
        changes=changes,
        version=flag.version,
        request_id=cause.request_id,
        record=order.record,
    )


def _opened(before: Flag | None, after: Flag) -> Flag:
    """Any exposure is guarded: a share raised by hand opens an attempt, whose evidence starts at nothing."""
    if before is not None and after.rollout.attempt != before.rollout.attempt:
        return after
    if after.rollout.is_live or not raises_exposure(before or replace(after, operations={}), after):
        return after
    return replace(after, rollout=replace(after.rollout, attempt=after.rollout.attempt + 1))


def _baking_anew(before: Flag, after: Flag, now: datetime) -> Flag:
    """A stage that was switched off has shown nothing meanwhile: it bakes from its being switched on again."""
    if after.rollout.state is not State.RUNNING or before.enabled or not after.enabled:
        return after
    return replace(after, rollout=replace(after.rollout, entered_at=now))


def _document(flag: Flag) -> dict[str, Any]:
    return {**flag_document(flag), **state_document(flag), "archived": flag.archived_at is not None, **_retired(flag)}


def _retired(flag: Flag) -> dict[str, bool]:
    return {"retired": True} if flag.retired_at else {}
