"""Signing in by somebody else's word: whom does an identity provider's answer let in, and as whom?"""

from dataclasses import dataclass, field
from datetime import datetime

from controlplane.domain.access import Admission, Person, Session
from controlplane.domain.audit import Action, Actor, ActorKind, Change
from controlplane.domain.errors import InvalidInput, NotSignedIn
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause
from controlplane.usecases.people import add_within, address
from controlplane.usecases.recording import record
from controlplane.usecases.secrets import hashed
from controlplane.usecases.signing_in import count_try, open_within


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom a provider sent back. `tried` is the network address they came from."""

    email: str
    verified: bool
    tried: str
    at: datetime
    request_id: str = ""
    replacing: str | None = field(default=None, repr=False)  # the secret of the session the browser had
    agent: str = ""


def count_arrival(store: Store, tried: str, now: datetime) -> None:
    """Before the provider is asked: each answer that signs nobody in makes the next wait. Raises TooManyTries."""
    count_try(store, _counted(tried), now)


def admit(store: Store, arrival: Arrival, admission: Admission) -> Session:
    """A new session for the person of a verified address, who is added where the settings allow. Raises NotSignedIn."""
    email = _vouched(arrival, admission)
    reason = f"signed in with {admission.label}"
    cause = Cause(Actor(ActorKind.PERSON, email), arrival.at, reason, arrival.request_id)
    with store.writing() as uow:
        record(uow, None, cause, Action.PERSON_SIGN_IN, Change("email", email, email))
        person = _person(uow, email, admission, cause)
        uow.signing_in.forgive(_counted(arrival.tried))
        session = open_within(uow, person, arrival.at, arrival.replacing, arrival.agent)
        uow.commit()
    return session


def _vouched(arrival: Arrival, admission: Admission) -> str:
    label = admission.label
    try:
        email = address(arrival.email)
    except InvalidInput:
        raise NotSignedIn(f"{label} did not tell your e-mail address: allow it there, or use a password") from None
    if not arrival.verified:
        raise NotSignedIn(f"{label} has not verified your e-mail address: verify it there, or use a password")
    if admission.domains and email.rpartition("@")[2] not in admission.domains:
        raise NotSignedIn(f"the domain of {email} is not let in here: use your organisation's account at {label}")
    return email


def _person(uow: UnitOfWork, email: str, admission: Admission, cause: Cause) -> Person:
    if not uow.people.exists(email):
        if admission.role is None:
            raise NotSignedIn(f"nobody here has the address {email}: ask an administrator to add you")
        return add_within(uow, email, admission.role, cause)
    person = uow.people.by_email(email)
    if person.disabled_at:
        raise NotSignedIn(f"the account of {email} is switched off: ask an administrator")
    return person


def _counted(tried: str) -> str:
    return hashed(f"openid {tried}")
