"""Signing in: by password, by one-time link; and what a session is worth."""

from datetime import datetime, timedelta

from controlplane.domain.access import OpenSession, Person, Role, Session, wait_after
from controlplane.domain.audit import Action, Change
from controlplane.domain.errors import InvalidInput, NotFound, NotSignedIn, Refused, TooManyTries
from controlplane.store import Store, UnitOfWork
from controlplane.store.signing_in import HANDLE
from controlplane.usecases.changing import Cause
from controlplane.usecases.passwords import a_place, hash_password, matches
from controlplane.usecases.people import add_within, address, set_within
from controlplane.usecases.recording import record
from controlplane.usecases.secrets import hashed, new_secret
from controlplane.usecases.tokens import FIRST_START, USED_GRAIN

SESSION_LASTS = timedelta(days=14)
LINK_LASTS = timedelta(hours=24)
FIRST_EMAIL = "admin@localhost"
WRONG = "the e-mail address or the password is wrong"  # never which of them: that would tell who has an account
USED_UP = "this link was used already or is older than a day: ask for a new one"


def sign_in(
    store: Store, email: str, password: str, now: datetime, replacing: str | None = None, agent: str = ""
) -> Session:
    """A new session; `replacing` is the secret of the one the browser had, which ends; `agent` is its name for itself.

    Raises NotSignedIn, TooManyTries. A try counts as failed before it is looked at, so that tries that come at once
    do not share one chance.
    """
    tried = hashed(email.strip().lower())
    with a_place():
        count_try(store, tried, now)
        person, slow = _known(store, email)
        is_right = matches(password, slow)
    if not is_right or person is None or person.disabled_at:
        raise NotSignedIn(WRONG)
    with store.writing() as uow:
        uow.signing_in.forgive(tried)
        session = open_within(uow, person, now, replacing, agent)
        uow.commit()
    return session


def count_try(store: Store, tried: str, now: datetime) -> None:
    """One more try of `tried`, a hash, counted as failed until it is forgiven. Raises TooManyTries."""
    with store.writing() as uow:
        uow.signing_in.forget_expired(now)
        failures, last = uow.signing_in.failures(tried)
        if last is not None:
            left = last + timedelta(seconds=wait_after(failures)) - now
            if left > timedelta(0):
                raise TooManyTries(int(left.total_seconds()) + 1)
        uow.signing_in.count_failure(tried, now)
        uow.commit()


def _known(store: Store, email: str) -> tuple[Person | None, str | None]:
    try:
        with store.reading() as uow:
            person = uow.people.by_email(address(email))
            return person, uow.people.password_hash(person.id)
    except (NotFound, InvalidInput):
        return None, None


def create_link(store: Store, email: str, cause: Cause) -> str:
    """The secret of a link that signs somebody in once, within a day. Raises NotFound, Refused."""
    with store.writing() as uow:
        person = uow.people.by_email(address(email))
        if person.disabled_at:
            message = f"{person.email} is disabled: enable them first"
            raise Refused(message)
        secret = _add_link(uow, person, cause)
        uow.commit()
    return secret


def use_link(store: Store, secret: str, now: datetime, replacing: str | None = None, agent: str = "") -> Session:
    """A new session for the person of the link, which is used up by it. Raises NotSignedIn."""
    with store.writing() as uow:
        person_id = uow.signing_in.use_link(hashed(secret), now)
        person = None if person_id is None else uow.people.get(person_id)
        if person is None or person.disabled_at:
            raise NotSignedIn(USED_UP)
        session = open_within(uow, person, now, replacing, agent)
        uow.commit()
    return session


def first_link(store: Store, now: datetime, email: str | None = None, password: str | None = None) -> str | None:
    """The first administrator, and a fresh link secret as long as nobody has a password; else None.

    With `password` (unattended set-up) the administrator gets it, and no link is needed.
    """
    cause = Cause(FIRST_START, now, "nobody has a password yet")
    slow = hash_password(password) if password else None
    with store.writing() as uow:
        if uow.people.anyone_has_password():
            return None
        person = _first(uow, address(email or FIRST_EMAIL), cause)
        if slow:
            set_within(uow, person, slow, cause)
        secret = None if slow else _add_link(uow, person, cause)
        uow.commit()
    return secret


def _first(uow: UnitOfWork, email: str, cause: Cause) -> Person:
    if uow.people.exists(email):
        return uow.people.by_email(email)
    return add_within(uow, email, Role.ADMIN, cause)


def session_of(store: Store, secret: str, now: datetime) -> Person | None:
    """The person of a session that is not over."""
    with store.reading() as uow:
        found = uow.signing_in.in_session(hashed(secret), now)
        person = None if found is None else uow.people.get(found[0])
    if person is None or person.disabled_at or found is None:
        return None
    if found[1] is None or now - found[1] >= USED_GRAIN:
        with store.writing() as uow:
            uow.signing_in.mark_seen(hashed(secret), now)
            uow.commit()
    return person


def list_sessions(store: Store, person_id: int, now: datetime) -> list[OpenSession]:
    """Where somebody is signed in, the newest first."""
    with store.reading() as uow:
        return uow.signing_in.sessions_of(person_id, now)


def handle_of(secret: str) -> str:
    """What `list_sessions` calls the session of a secret."""
    return hashed(secret)[:HANDLE]


def end_session(store: Store, person_id: int, handle: str) -> None:
    """One of somebody's own sessions. Raises NotFound for any other."""
    with store.writing() as uow:
        if len(handle) != HANDLE or not uow.signing_in.close_session_of(person_id, handle):
            message = "this session has ended already"
            raise NotFound(message)
        uow.commit()


def role_of(store: Store, secret: str, environment: str, now: datetime) -> Role | None:
    """What the person of a session may do in an environment; None for nobody, and for somebody without a role there."""
    person = session_of(store, secret, now)
    return person.role_in(environment) if person else None


def sign_out(store: Store, secret: str) -> None:
    with store.writing() as uow:
        uow.signing_in.close_session(hashed(secret))
        uow.commit()


def sign_out_everywhere(store: Store, person_id: int) -> None:
    """Every session of a person ends, on every device."""
    with store.writing() as uow:
        uow.signing_in.close_sessions(person_id)
        uow.commit()


def _add_link(uow: UnitOfWork, person: Person, cause: Cause) -> str:
    record(uow, None, cause, Action.PERSON_CREATE_LINK, Change("email", person.email, person.email))
    secret = new_secret("tb_link")
    uow.signing_in.add_link(hashed(secret), person.id, cause.at + LINK_LASTS)
    return secret


def open_within(uow: UnitOfWork, person: Person, now: datetime, replacing: str | None, agent: str) -> Session:
    """A new session inside a transaction, instead of the one that the browser had."""
    if replacing:
        uow.signing_in.close_session(hashed(replacing))
    session = Session(new_secret("tb_session"), person, now + SESSION_LASTS)
    uow.signing_in.open_session(hashed(session.secret), person.id, now, session.expires_at, agent)
    return session
