"""What people do with the checklists of a migration: read, change, tick off. What is open may hold a rollout back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from controlplane.documents.checklist import (
    checklist_document,
    listed_document,
    parse_checklist,
    parse_item,
    with_fields,
)
from controlplane.domain.attachment import newest_of_each
from controlplane.domain.audit import Action, differences
from controlplane.domain.checklist import MOST_ITEMS, Checklist, Phase, open_points
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, StaleVersion
from controlplane.domain.names import KEY, KEY_RULE
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause, Order, Place, change_beside

Change = Callable[[Checklist], Checklist]


def show_checklist(store: Store, place: Place, phase: Phase) -> dict[str, Any]:
    """The list, and what of it holds a rollout back. Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        checklist = uow.checklists.get(environment.id, flag.key, phase)
    return described(checklist, phase, flag.blocked_by)


def described(checklist: Checklist, phase: Phase, blocked_by: tuple[str, ...]) -> dict[str, Any]:
    open_now = list(blocked_by) if phase is Phase.BEFORE else []
    return {"phase": phase.value, "version": checklist.version, **listed_document(checklist), "open": open_now}


def replace_checklist(store: Store, place: Place, phase: Phase, document: Mapping[str, Any], cause: Cause) -> None:
    """Raises InvalidInput, StaleVersion, NotFound."""

    def replaced(before: Checklist) -> Checklist:
        return parse_checklist(document, before, cause.actor.name, cause.at)

    _change(store, place, phase, cause, replaced)


def set_item(store: Store, place: Place, phase: Phase, name: str, document: Mapping[str, Any], cause: Cause) -> None:
    """Add an item or change it; fields left out keep what they were. Raises as above."""
    given = parse_item(document)

    def changed(before: Checklist) -> Checklist:
        if not KEY.fullmatch(name):
            raise InvalidInput((FieldError("item", KEY_RULE),))
        if before.item(name) is None and len(before.items) >= MOST_ITEMS:
            raise InvalidInput((FieldError("item", f"would be one of more than {MOST_ITEMS}: remove one first"),))
        return before.with_item(name, with_fields(before.item(name), given, cause.actor.name, cause.at))

    _change(store, place, phase, cause, changed)


def remove_item(store: Store, place: Place, phase: Phase, name: str, cause: Cause) -> None:
    """Raises NotFound, StaleVersion."""

    def without(before: Checklist) -> Checklist:
        if before.item(name) is None:
            message = f"the checklist has no item '{name}'"
            raise NotFound(message)
        return before.without(name)

    _change(store, place, phase, cause, without)


def require(store: Store, place: Place, *, items: bool, tests: bool, criteria: bool, cause: Cause) -> None:
    """Say whether open items, and tests without a good result, keep a rollout from starting and advancing.

    And whether success criteria that have not passed keep it from being finished.
    """

    def marked(before: Checklist) -> Checklist:
        return replace(before, required=items, tests_required=tests, criteria_required=criteria)

    _change(store, place, Phase.BEFORE, cause, marked)


def _change(store: Store, place: Place, phase: Phase, cause: Cause, change: Change) -> None:
    with store.writing() as uow:
        environment = uow.environments.get(place.environment, lock=True)
        flag = uow.flags.get(environment.id, place.flag)
        before = uow.checklists.get(environment.id, flag.key, phase)
        if cause.expected not in {None, before.version}:
            raise StaleVersion(flag.key, cause.expected or 0, before.version, what="the checklist of flag")
        after = change(before)
        if after == before:
            return
        uow.checklists.save(environment.id, flag.key, phase, replace(after, version=before.version + 1))
        told = differences(checklist_document(before), checklist_document(after), f"checklist.{phase}")
        points = points_now(uow, environment.id, flag.key) if phase is Phase.BEFORE else flag.blocked_by
        order = Order(Action.CHECKLIST_SET, lambda same: replace(same, blocked_by=points))
        change_beside(uow, environment, flag, cause, order, tuple(told))
        uow.commit()


def points_now(uow: UnitOfWork, environment_id: int, flag: str) -> tuple[str, ...]:
    """What holds a rollout back now."""
    checklist = uow.checklists.get(environment_id, flag, Phase.BEFORE)
    return open_points(checklist, newest_of_each(uow.attachments.newest(environment_id, flag)))
