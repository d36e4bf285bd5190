"""Recording what is no change to a flag: tokens and people, chained into the audit log of an environment."""

from controlplane.domain.access import EVERYWHERE
from controlplane.domain.audit import Action, AuditEntry, Change
from controlplane.store import UnitOfWork
from controlplane.usecases.changing import Cause, want_reason


def record(
    uow: UnitOfWork, environment: str | None, cause: Cause, action: Action, *changes: Change, brake: bool = False
) -> AuditEntry:
    """One entry, as it was chained. What belongs to no environment (None), or to all (`*`), is in the first one's log.

    Takes the lock of that environment, so call it before writing anything else. Never give it a secret. Raises
    InvalidInput where the environment wants a reason and there is none; a brake is not asked.
    """
    if not brake:
        _want_reason(uow, environment, cause)
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
    return uow.audit.append(row, entry)


def hold_log(uow: UnitOfWork) -> None:
    """Lock what `record` appends to, so that what is read from now on is what was true before the change."""
    uow.environments.get(uow.environments.all()[0].name, lock=True)


def _want_reason(uow: UnitOfWork, environment: str | None, cause: Cause) -> None:
    """What reaches every environment is asked for by each that asks; what belongs to none is asked for by nobody."""
    if environment is None:
        return
    for each in uow.environments.all():
        if environment in {EVERYWHERE, each.name}:
            want_reason(each, cause)
