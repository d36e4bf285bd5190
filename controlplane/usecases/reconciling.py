"""Reconciling: a person says that writes which one side's store missed are there now, and the audit log keeps it."""

from collections.abc import Iterator

from controlplane.documents.acts import ReconciledDocument
from controlplane.domain.audit import Action, Change
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused
from controlplane.domain.flag import Flag, Side
from controlplane.domain.phases import Backlog
from controlplane.store import Store
from controlplane.store.examples import Divergence
from controlplane.usecases.backlog import backlog_of
from controlplane.usecases.changing import Cause, Order, Place, change_beside


def show_backlog(store: Store, place: Place) -> Backlog:
    """Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        return backlog_of(uow, environment.id, uow.flags.get(environment.id, place.flag))


def reconciled(store: Store, place: Place, told: ReconciledDocument, cause: Cause) -> Backlog:
    """The backlog without what was missing at one side until now. Raises NotFound, InvalidInput, Refused.

    With `writes` no more than so many: what went missing since somebody looked stays.
    """
    if not cause.reason.strip():
        raise InvalidInput((FieldError("reason", "is missing: say how the writes got there, as nobody can check it"),))
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        flag = uow.flags.get(environment.id, place.flag)
        _require_operation(flag, told.operation)
        before = uow.examples.divergences(environment.id, flag.key)
        mended = dict(_mended(before, told))
        if not mended:
            raise Refused(f"nothing is missing in the {told.side}'s store of '{flag.key}' that could be reconciled")
        column = f"{told.side}_reconciled"
        counts = {(flag.key, name): {column: writes} for name, writes in mended.items()}
        uow.examples.add_divergences(environment.id, counts, cause.at)
        changes = tuple(_change(each, told.side, mended[each.operation]) for each in before if each.operation in mended)
        change_beside(uow, environment, flag, cause, Order(Action.FLAG_RECONCILE, lambda same: same), changes)
        uow.commit()
        return backlog_of(uow, environment.id, flag)


def _require_operation(flag: Flag, name: str | None) -> None:
    if name is not None and name not in flag.operations:
        raise NotFound(f"flag '{flag.key}' has no operation '{name}'")


def _mended(known: list[Divergence], told: ReconciledDocument) -> Iterator[tuple[str, int]]:
    """Operation → writes, the first ones first."""
    left = told.writes
    for each in known:
        missing = _missing(each, told.side)
        taken = missing if left is None else min(left, missing)
        if taken and told.operation in {None, each.operation}:
            left = None if left is None else left - taken
            yield each.operation, taken


def _missing(each: Divergence, side: Side) -> int:
    return each.baseline_backlog if side is Side.BASELINE else each.candidate_backlog


def _change(each: Divergence, side: Side, mended: int) -> Change:
    missing = _missing(each, side)
    return Change(f"operations.{each.operation}.missing_at_{side}", missing, missing - mended)
