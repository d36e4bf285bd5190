"""Recording what is no change to a flag: tokens and people, chained into the audit log of an environment."""

from controlplane.domain.access import EVERYWHERE
from controlplane.domain.audit import Action, AuditEntry, Change
from controlplane.store import UnitOfWork
from controlplane.usecases.changing import Cause


def record(uow: UnitOfWork, environment: str | None, cause: Cause, action: Action, *changes: Change) -> None:
    """One entry. What belongs to no environment, or to all, is written down in the first one.

    Takes the lock of that environment, so call it before writing anything else. Never give it a secret.
    """
    name = uow.environments.all()[0].name if environment in {None, EVERYWHERE} else str(environment)
    row = uow.environments.get(name, lock=True)
    entry = AuditEntry(
        id=0,
        at=cause.at,
        actor=cause.actor,
        action=action,
        flag=None,
        reason=cause.reason,
        changes=changes,
        version=None,
        request_id=cause.request_id,
    )
    uow.audit.append(row, entry)
