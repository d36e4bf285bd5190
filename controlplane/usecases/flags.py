"""What people do with flags: create, read, change, switch, revert, archive."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from controlplane.documents.flag import (
    flag_document,
    operation_document,
    parse_flag,
    parse_guardrails,
    parse_operation,
    parse_plan,
)
from controlplane.domain.audit import Action
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused
from controlplane.domain.feature import Kind
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.store import Store
from controlplane.usecases.changing import Cause, Order, Place, add_flag, change_flag
from controlplane.usecases.redefining import another_kind, redefined

Document = Mapping[str, Any]


def create_flag(store: Store, environment: str, document: Document, cause: Cause) -> Flag:
    """A new flag. Raises InvalidInput, AlreadyExists, NotFound (environment)."""
    return add_flag(store, environment, parse_flag(document), cause)


def get_flag(store: Store, place: Place) -> Flag:
    """Raises NotFound."""
    with store.reading() as uow:
        return uow.flags.get(uow.environments.get(place.environment).id, place.flag)


def list_flags(store: Store, environment: str, *, archived: bool = False) -> list[Flag]:
    with store.reading() as uow:
        return uow.flags.all(uow.environments.get(environment).id, archived=archived)


def replace_flag(store: Store, place: Place, document: Document, cause: Cause) -> Flag:
    """PUT: what is left out gets its default."""
    wanted = parse_flag(document, key=place.flag)
    return change_flag(store, place, cause, Order(Action.FLAG_UPDATE, lambda flag: redefined(flag, wanted)))


def patch_flag(store: Store, place: Place, patch: Document, cause: Cause) -> Flag:
    """PATCH by RFC 7396: null removes, objects merge, everything else replaces."""

    def patched(flag: Flag) -> Flag:
        if (kind := patch.get("kind", flag.kind)) in set(Kind) - {flag.kind}:
            raise InvalidInput((FieldError("kind", another_kind(flag.key, kind, flag.kind)),))
        merged = _merged(flag_document(flag), patch)
        return redefined(flag, parse_flag(merged, key=place.flag))

    return change_flag(store, place, cause, Order(Action.FLAG_UPDATE, patched))


def _merged(document: Any, patch: Any) -> Any:  # noqa: ANN401 - JSON values
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def enable_flag(store: Store, place: Place, cause: Cause) -> Flag:
    return change_flag(store, place, cause, Order(Action.FLAG_ENABLE, lambda flag: replace(flag, enabled=True)))


def disable_flag(store: Store, place: Place, cause: Cause) -> Flag:
    """The kill switch: every call goes to the baseline. Never asks for a version."""
    order = Order(Action.FLAG_DISABLE, lambda flag: replace(flag, enabled=False), brake=True)
    return change_flag(store, place, cause, order)


def archive_flag(store: Store, place: Place, cause: Cause) -> Flag:
    """The end of a flag: for 90 days it answers with its final backend and warns, then it leaves every snapshot.

    Its history stays. Refused while a rollout runs.
    """

    def archived(flag: Flag) -> Flag:
        if flag.rollout.is_live:
            message = f"a rollout of '{flag.key}' is {flag.rollout.state}: abort it before archiving the flag"
            raise Refused(message)
        return replace(flag, archived_at=cause.at)

    return change_flag(store, place, cause, Order(Action.FLAG_ARCHIVE, archived))


def set_operation(store: Store, place: Place, name: str, document: Document, cause: Cause) -> Flag:
    """Add an operation or change it; fields left out keep what they were, and so do those of `breaker` and `retry`."""
    parse_operation(document)

    def changed(flag: Flag) -> Flag:
        current = flag.operations.get(name)
        new = parse_operation(_laid_over(operation_document(current), document) if current else document)
        return redefined(flag, replace(flag, operations={**flag.operations, name: new}))

    action = Action.SHARE_SET if set(document) == {"percent"} else Action.OPERATION_SET
    with _named_as_sent(f"operations.{name}"):
        return change_flag(store, place, cause, Order(action, changed))


def _laid_over(current: Document, given: Document) -> Document:
    """Guardrails are one thing and replaced whole; the settings of a breaker are looked at one by one."""
    settings = {name: _merged(current.get(name), given[name]) for name in ("breaker", "retry") if name in given}
    return {**current, **given, **settings}


def remove_operation(store: Store, place: Place, name: str, cause: Cause) -> Flag:
    """Its calls go to the baseline from now on. Raises NotFound."""

    def without(flag: Flag) -> Flag:
        if name not in flag.operations:
            message = f"flag '{flag.key}' has no operation '{name}'"
            raise NotFound(message)
        rest = {each: operation for each, operation in flag.operations.items() if each != name}
        return redefined(flag, replace(flag, operations=rest))

    return change_flag(store, place, cause, Order(Action.OPERATION_REMOVE, without))


def set_guardrails(store: Store, place: Place, document: Document | None, cause: Cause) -> Flag:
    """Replace the guardrails; None takes them away."""
    wanted = None if document is None else parse_guardrails(document)
    order = Order(Action.GUARDRAIL_SET, lambda flag: replace(flag, guardrails=wanted))
    with _named_as_sent("guardrails"):
        return change_flag(store, place, cause, order)


def set_plan(store: Store, place: Place, document: Document | None, cause: Cause) -> Flag:
    """Replace the plan; None takes it away. Refused while a rollout runs."""
    wanted = None if document is None else parse_plan(document)
    order = Order(Action.PLAN_SET, lambda flag: redefined(flag, replace(flag, plan=wanted)))
    with _named_as_sent("plan"):
        return change_flag(store, place, cause, order)


@contextmanager
def _named_as_sent(part: str) -> Iterator[None]:
    """Whoever sends one part of a flag reads of its fields by the names that they were sent by."""
    try:
        yield
    except InvalidInput as error:
        raise error.within(part) from None


def copy_plan(store: Store, place: Place, source: str, cause: Cause) -> Flag:
    """The plan of another flag, but its date; what it says of operations that this flag does not have is left out.

    Raises NotFound, and Refused where there is none to copy or a rollout runs.
    """
    copied = get_flag(store, Place(place.environment, source)).plan
    if copied is None:
        message = f"flag '{source}' has no rollout plan to copy"
        raise Refused(message)

    def with_copy(flag: Flag) -> Flag:
        return redefined(flag, replace(flag, plan=copied.copied_for(frozenset(flag.operations))))

    return change_flag(store, place, cause, Order(Action.PLAN_SET, with_copy))


def revert_flag(store: Store, place: Place, to_version: int, cause: Cause) -> Flag:
    """Bring back the definition of an earlier version; never its rollout, attempts or lock."""
    with store.reading() as uow:
        old = uow.flags.definition_at(uow.environments.get(place.environment).id, place.flag, to_version)

    def reverted(flag: Flag) -> Flag:
        rollout = flag.rollout
        if rollout.is_live or rollout.state is State.LOCKED or rollout.cools_down(cause.at):
            state = "cooling down" if rollout.state is State.ROLLED_BACK else rollout.state
            message = f"the rollout of '{flag.key}' is {state}: revert when it is over"
            raise Refused(message)
        return redefined(flag, old)

    return change_flag(store, place, cause, Order(Action.FLAG_REVERT, reverted))
