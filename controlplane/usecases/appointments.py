"""What people do with appointments, and the scheduler's keeping of them: single changes at a set time."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.documents.appointments import appointment_document, parse_wish
from controlplane.domain.appointment import Appointment, Deed, Wish
from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.calendar import Calendar
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused, ThrowbarError
from controlplane.domain.flag import Flag
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.store.lease import Lease
from controlplane.usecases.changing import Cause, Order, Place, change_within, want_reason, write_note
from controlplane.usecases.redefining import redefined
from controlplane.usecases.rollouts import aborted, started, taken_back

_log = logging.getLogger(__name__)

DONE = "done"


def list_appointments(store: Store, place: Place) -> list[Appointment]:
    """Every appointment of a flag in the order of its time, those that are over included. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        return uow.appointments.of(environment.id, uow.flags.get(environment.id, place.flag).key)


def make_appointment(store: Store, place: Place, document: Mapping[str, Any], cause: Cause) -> Appointment:
    """A change that the scheduler makes at its time. Raises InvalidInput, NotFound, Refused."""
    wish = parse_wish(document)
    if wish.at <= cause.at:
        raise InvalidInput((FieldError("at", "is in the past: choose a later time, or make the change now"),))
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        flag = uow.flags.get(environment.id, place.flag)
        _refuse_nonsense(flag, wish)
        if not wish.deed.is_a_brake:
            want_reason(environment, replace(cause, reason=cause.reason.strip() or wish.reason))
        new = uow.appointments.add(environment.id, flag.key, wish, cause.actor.name, cause.at)
        _note(uow, environment, cause, Action.APPOINTMENT_MAKE, flag, new)
        uow.commit()
    return new


def _refuse_nonsense(flag: Flag, wish: Wish) -> None:
    if flag.archived_at:
        message = f"flag '{flag.key}' is archived and cannot be changed"
        raise Refused(message)
    if wish.operation is not None and wish.operation not in flag.operations:
        raise InvalidInput((FieldError("operation", f"flag '{flag.key}' has no operation '{wish.operation}'"),))
    if wish.deed is Deed.START and flag.plan is None:
        raise InvalidInput((FieldError("deed", f"flag '{flag.key}' has no rollout plan to start: set one first"),))


def cancel_appointment(store: Store, place: Place, number: int, cause: Cause) -> Appointment:
    """It is not kept. Raises NotFound, and Refused when it is over already."""
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        found = uow.appointments.get(environment.id, number)
        if found.flag != place.flag:
            message = f"flag '{place.flag}' has no appointment {number}"
            raise NotFound(message)
        want_reason(environment, cause)
        if not uow.appointments.end(found, cause.at, f"cancelled by {cause.actor.name}"):
            message = f"appointment {number} is over: {found.outcome}"
            raise Refused(message)
        flag = uow.flags.get(environment.id, found.flag)
        _note(uow, environment, cause, Action.APPOINTMENT_CANCEL, flag, found)
        over = uow.appointments.get(environment.id, number)
        uow.commit()
    return over


def _note(
    uow: UnitOfWork, environment: Environment, cause: Cause, action: Action, flag: Flag, appointment: Appointment
) -> None:
    told = {"appointment": appointment_document(appointment)}
    write_note(uow, environment, cause, Order(action, lambda same: same, record=told), flag)


def keep_appointments(store: Store, environment: Environment, lease: Lease, now: datetime) -> int:
    """Make the changes whose time has come, each in its own transaction; returns how many were made."""
    with store.reading() as uow:
        due = uow.appointments.due(environment.id, now)
        frozen = Calendar((), uow.freezes.all(environment.id)).freeze_at(now) if due else None
    kept = 0
    for each in due:
        if frozen and not each.wish.deed.is_a_brake:
            continue  # it is made when the freeze is over
        try:
            kept += _keep(store, environment, lease, each, now)
        except ThrowbarError as refused:
            _fail(store, environment, lease, each, now, refused)
    return kept


def _keep(store: Store, environment: Environment, lease: Lease, appointment: Appointment, now: datetime) -> int:
    cause = Cause(SCHEDULER, now, _why(appointment))
    with store.writing() as uow:
        uow.leases.check(lease)
        locked = uow.environments.get(environment.name, lock=True)
        if not uow.appointments.end(appointment, now, DONE):
            return 0
        order = replace(_order(appointment.wish, cause), wished_by=appointment.made_by)
        change_within(uow, locked, appointment.flag, cause, order)
        uow.commit()
    return 1


def _fail(
    store: Store,
    environment: Environment,
    lease: Lease,
    appointment: Appointment,
    now: datetime,
    refused: ThrowbarError,
) -> None:
    """A change that is refused is not tried again: somebody has to look at it."""
    _log.warning("appointment %s of %r was not kept: %s", appointment.id, appointment.flag, refused.message)
    with store.writing() as uow:
        uow.leases.check(lease)
        locked = uow.environments.get(environment.name, lock=True)
        if uow.appointments.end(appointment, now, f"refused: {refused.message}"):
            cause = Cause(SCHEDULER, now, f"{_why(appointment)}: {refused.message}")
            flag = uow.flags.get(locked.id, appointment.flag)
            _note(uow, locked, cause, Action.APPOINTMENT_FAIL, flag, appointment)
            uow.commit()


def _why(appointment: Appointment) -> str:
    reason = appointment.wish.reason
    return f"appointed by {appointment.made_by}" + (f": {reason}" if reason else "")


def _order(wish: Wish, cause: Cause) -> Order:
    """The change of a deed, as a person would have made it."""
    match wish.deed:
        case Deed.ENABLE:
            return Order(Action.FLAG_ENABLE, lambda flag: replace(flag, enabled=True))
        case Deed.DISABLE:
            return Order(Action.FLAG_DISABLE, lambda flag: replace(flag, enabled=False), brake=True)
        case Deed.PERCENT:
            return Order(Action.SHARE_SET, lambda flag: _with_percent(flag, wish))
        case Deed.START:
            return Order(Action.ROLLOUT_START, lambda flag: started(flag, cause))
        case Deed.ABORT:
            return Order(Action.ROLLOUT_ABORT, lambda flag: aborted(flag, cause), brake=True)
        case Deed.ROLLBACK:
            order = lambda flag: taken_back(flag, cause, wish.operation, automatic=False)  # noqa: E731 - as its neighbours
            return Order(Action.ROLLOUT_ROLL_BACK, order, brake=True)


def _with_percent(flag: Flag, wish: Wish) -> Flag:
    operation = flag.operations.get(wish.operation or "")
    if operation is None or wish.share is None:
        message = f"flag '{flag.key}' has no operation '{wish.operation}' any more"
        raise NotFound(message)
    changed = {**flag.operations, str(wish.operation): replace(operation, share=wish.share)}
    return redefined(flag, replace(flag, operations=changed))
