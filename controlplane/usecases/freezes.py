"""What people do with the calendar of an environment: say when no rollout moves on, and take that back."""

from collections.abc import Mapping
from typing import Any

from controlplane.documents.appointments import freeze_document, parse_freeze
from controlplane.domain.audit import Action, Change
from controlplane.domain.calendar import Freeze
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.store import Store
from controlplane.usecases.changing import Cause, want_reason
from controlplane.usecases.recording import record


def list_freezes(store: Store, environment: str) -> list[Freeze]:
    """By their beginning, those that are over included. Raises NotFound."""
    with store.reading() as uow:
        return list(uow.freezes.all(uow.environments.get(environment).id))


def add_freeze(store: Store, environment: str, document: Mapping[str, Any], cause: Cause) -> Freeze:
    """From `starts_at` up to `ends_at` the scheduler neither starts nor advances anything. Raises InvalidInput."""
    wanted = parse_freeze(document)
    if wanted.ends_at <= cause.at:
        raise InvalidInput((FieldError("ends_at", "is over already: choose a later end"),))
    with store.writing() as uow:
        want_reason(uow.environments.get(environment, lock=True), cause)
        record(uow, environment, cause, Action.FREEZE_ADD, Change("freeze", None, _told(wanted)))
        new = uow.freezes.add(uow.environments.get(environment).id, wanted)
        uow.commit()
    return new


def remove_freeze(store: Store, environment: str, number: int, cause: Cause) -> Freeze:
    """Rollouts move on again at the next tick. Raises NotFound."""
    with store.writing() as uow:
        row = uow.environments.get(environment, lock=True)
        freeze = uow.freezes.get(row.id, number)
        want_reason(row, cause)
        record(uow, environment, cause, Action.FREEZE_REMOVE, Change("freeze", _told(freeze), None))
        uow.freezes.remove(row.id, number)
        uow.commit()
    return freeze


def _told(freeze: Freeze) -> dict[str, Any]:
    return {name: value for name, value in freeze_document(freeze).items() if name != "id"}
