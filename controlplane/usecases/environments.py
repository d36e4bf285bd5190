"""Environments: listing, creating, and what the very first start of a server makes."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.audit import Action, AuditEntry, Change
from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput
from controlplane.domain.flag_rules import KEY, KEY_RULE
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.usecases.changing import Cause
from controlplane.usecases.secrets import random_source

FIRST = "production"


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """`version` is the snapshot's."""

    name: str
    version: int
    flags: int
    created_at: datetime


def list_environments(store: Store) -> list[EnvironmentView]:
    with store.reading() as uow:
        return [
            EnvironmentView(each.name, each.version, len(uow.flags.all(each.id)), each.created_at)
            for each in uow.environments.all()
        ]


def create_environment(store: Store, name: str, cause: Cause) -> Environment:
    """Raises InvalidInput, AlreadyExists."""
    if not KEY.fullmatch(name):
        raise InvalidInput((FieldError("name", KEY_RULE),))
    with store.writing() as uow:
        new = _add(uow, name, cause)
        uow.commit()
    return new


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
