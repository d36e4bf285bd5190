"""Disabling: whoever must be shut out is out at once, and may be let in again."""

from controlplane.domain.access import EVERYWHERE, Person
from controlplane.domain.audit import Action, ActorKind, Change
from controlplane.domain.errors import Refused
from controlplane.store import Store
from controlplane.usecases.changing import Cause
from controlplane.usecases.own_tokens import revoke_all_within
from controlplane.usecases.people import require_administrator
from controlplane.usecases.recording import record


def disable_person(store: Store, person_id: int, cause: Cause) -> Person:
    """Every session, link and own token of theirs ends now, for good. Raises NotFound, Refused.

    A brake: it asks for no reason. Somebody who is disabled already stays so, and nothing is written down.
    """
    with store.writing() as uow:
        before = uow.people.get(person_id)
        if before.disabled_at:
            return before
        if cause.actor.kind is ActorKind.PERSON and cause.actor.name == before.email:
            raise Refused("nobody can disable themselves: ask another administrator")
        email = Change("email", before.email, before.email)
        disabled = Change("disabled_at", None, cause.at.isoformat())
        record(uow, EVERYWHERE, cause, Action.PERSON_DISABLE, email, disabled, brake=True)
        uow.people.set_disabled(person_id, cause.at)
        require_administrator(uow, before)
        revoke_all_within(uow, before, cause)
        uow.signing_in.close_sessions(person_id)
        uow.signing_in.void_links(person_id)
        after = uow.people.get(person_id)
        uow.commit()
    return after


def enable_person(store: Store, person_id: int, cause: Cause) -> Person:
    """They may sign in again, with the roles and the password they had. Raises NotFound, InvalidInput for no reason."""
    with store.writing() as uow:
        before = uow.people.get(person_id)
        if before.disabled_at is None:
            return before
        email = Change("email", before.email, before.email)
        enabled = Change("disabled_at", before.disabled_at.isoformat(), None)
        record(uow, EVERYWHERE, cause, Action.PERSON_ENABLE, email, enabled)
        uow.people.set_disabled(person_id, None)
        after = uow.people.get(person_id)
        uow.commit()
    return after
