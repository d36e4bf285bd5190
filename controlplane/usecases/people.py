"""People: who may sign in, with which role and which password."""

import re

from controlplane.domain.access import EVERYWHERE, Person, Role
from controlplane.domain.audit import Action, Change
from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput, Refused
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause
from controlplane.usecases.passwords import hash_password
from controlplane.usecases.recording import record

_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,100}@[^\s@\x00-\x1f]{1,99}")


def address(email: str) -> str:
    """An e-mail address as it is kept: people type capitals, and mean the same. Raises InvalidInput."""
    plain = email.strip().lower()
    if not _EMAIL.fullmatch(plain):
        raise InvalidInput((FieldError("email", "is not an e-mail address"),))
    return plain


def add_person(store: Store, email: str, role: Role, cause: Cause, environment: str = EVERYWHERE) -> Person:
    """Somebody who may sign in as soon as they have a link or a password. Raises InvalidInput, AlreadyExists."""
    with store.writing() as uow:
        person = add_within(uow, address(email), role, cause, environment)
        uow.commit()
    return person


def add_within(uow: UnitOfWork, email: str, role: Role, cause: Cause, environment: str = EVERYWHERE) -> Person:
    """`add_person` inside a transaction."""
    record(uow, environment, cause, Action.PERSON_ADD, Change("email", None, email), _role(environment, None, role))
    if uow.people.exists(email):
        message = f"{email} is known already"
        raise AlreadyExists(message)
    person = uow.people.add(email, cause.at)
    uow.people.set_role(person.id, environment, role)
    return uow.people.get(person.id)


def list_people(store: Store) -> list[Person]:
    with store.reading() as uow:
        return uow.people.all()


def get_person(store: Store, person_id: int) -> Person:
    """Raises NotFound."""
    with store.reading() as uow:
        return uow.people.get(person_id)


def find_person(store: Store, email: str) -> Person:
    """Raises NotFound."""
    with store.reading() as uow:
        return uow.people.by_email(address(email))


def set_role(store: Store, person_id: int, role: Role | None, cause: Cause, environment: str = EVERYWHERE) -> Person:
    """Another role in one environment, or everywhere; None takes it away. Raises NotFound, Refused, InvalidInput."""
    with store.writing() as uow:
        before = uow.people.get(person_id)
        held = before.roles.get(environment)
        if held is role:
            return before
        email = Change("email", before.email, before.email)
        less = role is None or (held is not None and held.covers(role))  # whoever must be shut out is shut out at once
        record(uow, environment, cause, Action.PERSON_SET_ROLE, email, _role(environment, held, role), brake=less)
        uow.people.set_role(person_id, environment, role)
        require_administrator(uow, before)
        after = uow.people.get(person_id)
        uow.commit()
    return after


def set_password(store: Store, person_id: int, password: str, cause: Cause) -> Person:
    """A new password; every session and link of the person ends. Raises InvalidInput, NotFound."""
    slow = hash_password(password)  # before the transaction: it takes a while on purpose
    with store.writing() as uow:
        person = set_within(uow, uow.people.get(person_id), slow, cause)
        uow.commit()
    return person


def set_within(uow: UnitOfWork, person: Person, slow: str, cause: Cause) -> Person:
    """`set_password` inside a transaction, with the password hashed already."""
    record(uow, None, cause, Action.PERSON_SET_PASSWORD, Change("email", person.email, person.email))
    uow.people.set_password_hash(person.id, slow)
    uow.signing_in.close_sessions(person.id)
    uow.signing_in.void_links(person.id)
    return uow.people.get(person.id)


def require_administrator(uow: UnitOfWork, before: Person) -> None:
    """After a change of somebody, as they were `before` it, somebody can still let others in. Raises Refused."""
    if before.role_in(EVERYWHERE) is Role.ADMIN and not _administrators(uow):
        message = f"{before.email} is the last administrator: make somebody else one first"
        raise Refused(message)


def _administrators(uow: UnitOfWork) -> list[Person]:
    return [each for each in uow.people.all() if each.role_in(EVERYWHERE) is Role.ADMIN and not each.disabled_at]


def _role(environment: str, before: Role | None, after: Role | None) -> Change:
    return Change(f"roles.{environment}", before.value if before else None, after.value if after else None)
