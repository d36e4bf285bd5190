"""Environments: listing, creating, and what the very first start of a server makes."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain.audit import Action, AuditEntry, Change
from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput
from controlplane.domain.names import KEY, KEY_RULE
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.usecases.changing import Cause, want_reason
from controlplane.usecases.recording import record
from controlplane.usecases.secrets import random_source

FIRST = "production"


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """`version` is the snapshot's."""

    name: str
    version: int
    flags: int
    created_at: datetime
    require_reason: bool = False


def list_environments(store: Store) -> list[EnvironmentView]:
    with store.reading() as uow:
        return [_view(uow, each) for each in uow.environments.all()]


def answer_environment(environment: EnvironmentView | Environment) -> dict[str, Any]:
    """An environment as the contract words it; a new one has no flags."""
    return {
        "name": environment.name,
        "version": environment.version,
        "flags": environment.flags if isinstance(environment, EnvironmentView) else 0,
        "require_reason": environment.require_reason,
        "created_at": environment.created_at.isoformat(),
    }


def get_environment(store: Store, name: str) -> EnvironmentView:
    """Raises NotFound."""
    with store.reading() as uow:
        return _view(uow, uow.environments.get(name))


def _view(uow: UnitOfWork, row: Environment) -> EnvironmentView:
    return EnvironmentView(row.name, row.version, uow.flags.count(row.id), row.created_at, row.require_reason)


def wants_reason(store: Store, name: str) -> bool:
    """Whether each change there must say why. Raises NotFound."""
    with store.reading() as uow:
        return uow.environments.get(name).require_reason


def create_environment(store: Store, name: str, cause: Cause) -> Environment:
    """Raises InvalidInput, AlreadyExists."""
    if not KEY.fullmatch(name):
        raise InvalidInput((FieldError("name", KEY_RULE),))
    with store.writing() as uow:
        new = _add(uow, name, cause)
        uow.commit()
    return new


def set_environment(store: Store, name: str, cause: Cause, *, require_reason: bool) -> EnvironmentView:
    """Whether each change there must say why, brakes excepted. Raises NotFound, InvalidInput."""
    with store.writing() as uow:
        before = uow.environments.get(name, lock=True)
        if before.require_reason is require_reason:
            return _view(uow, before)
        want_reason(before, cause)
        change = Change("require_reason", before.require_reason, require_reason)
        record(uow, name, cause, Action.ENVIRONMENT_SET, change)
        uow.environments.set_require_reason(before, require_reason)
        after = _view(uow, uow.environments.get(name))
        uow.commit()
    return after


def ensure_first(store: Store, cause: Cause) -> None:
    """The environment `production`, unless there is one already, or another replica starts as well."""
    with store.writing() as uow, suppress(AlreadyExists):
        if not uow.environments.all():
            _add(uow, FIRST, cause)
            uow.commit()


def _add(uow: UnitOfWork, name: str, cause: Cause) -> Environment:
    new = uow.environments.add(name, random_source(), cause.at)
    entry = AuditEntry(
        id=0,
        at=cause.at,
        actor=cause.actor,
        action=Action.ENVIRONMENT_CREATE,
        flag=None,
        reason=cause.reason,
        changes=(Change("name", None, name),),
        version=None,
        request_id=cause.request_id,
    )
    uow.audit.append(new, entry)
    return new
