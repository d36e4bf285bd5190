"""Tokens: making them, listing them, revoking them, and knowing whose one is."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from controlplane.domain.access import EVERYWHERE, Person, Role, Token, TokenKind, TokenRequest
from controlplane.domain.audit import Action, Actor, ActorKind, Change
from controlplane.domain.errors import FieldError, InvalidInput, NotSignedIn
from controlplane.settings import Settings
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause
from controlplane.usecases.environments import FIRST
from controlplane.usecases.recording import record
from controlplane.usecases.secrets import hashed, new_secret

FIRST_START = Actor(ActorKind.PERSON, "first start")
FIRST_REASON = "named in the settings of the server"
CHANGED = "tokens"  # the counter that tells every process to forget the tokens it remembers
USED_GRAIN = timedelta(minutes=1)


def create_token(store: Store, wanted: TokenRequest, cause: Cause) -> tuple[Token, str]:
    """The token and its secret, which is shown this once and never again. Raises InvalidInput, NotFound."""
    secret = new_secret(f"tb_{wanted.kind}")
    with store.writing() as uow:
        token = add_within(uow, wanted, secret, cause)
        uow.commit()
    return token, secret


def list_tokens(store: Store) -> list[Token]:
    """Every token that ever was, by id."""
    with store.reading() as uow:
        return uow.tokens.all()


def revoke_token(store: Store, token_id: int, cause: Cause) -> Token:
    """It opens nothing from now on. Raises NotFound."""
    with store.writing() as uow:
        revoked = revoke_within(uow, uow.tokens.get(token_id), cause)
        uow.commit()
    return revoked


def revoke_within(uow: UnitOfWork, token: Token, cause: Cause) -> Token:
    """`revoke_token` inside a transaction. Whose own it was is told: the entry may be somebody else's."""
    if token.revoked_at:
        return token
    owner = [Change("owner", token.owner.email, None)] if token.owner else []
    changes = (Change("name", token.name, None), *owner)
    record(uow, token.environment, cause, Action.TOKEN_REVOKE, *changes, brake=True)  # a leak waits for no sentence
    uow.tokens.revoke(token.id, cause.at)
    uow.counters.add(CHANGED)
    return uow.tokens.get(token.id)


def bootstrap_tokens(store: Store, settings: Settings, now: datetime) -> None:
    """The tokens that the settings bring along; one that is known already, revoked or not, stays as it is."""
    given = (
        (settings.bootstrap_admin_token, TokenRequest(TokenKind.ADMIN, "bootstrap", role=Role.ADMIN)),
        (settings.bootstrap_sdk_token, TokenRequest(TokenKind.SDK, "bootstrap")),
    )
    with store.writing() as uow:
        for secret, wanted in given:
            if secret and uow.tokens.by_hash(hashed(secret)) is None:
                add_within(uow, wanted, secret, Cause(FIRST_START, now, FIRST_REASON))
        uow.commit()


def authenticate(store: Store, secret: str, now: datetime) -> Token:
    """The token of a secret. Raises NotSignedIn, with the same sentence for unknown, revoked and expired ones."""
    with store.reading() as uow:
        token = uow.tokens.by_hash(hashed(secret))
    if token is None or not token.is_valid(now):
        raise NotSignedIn("this token is not valid: it is unknown, revoked or expired")
    return token


def mark_used(store: Store, tokens: Iterable[Token], now: datetime) -> None:
    """Remember that they were used, to the minute: more would cost a write a request."""
    stale = [each.id for each in tokens if each.last_used_at is None or now - each.last_used_at >= USED_GRAIN]
    if stale:
        with store.writing() as uow:
            uow.tokens.mark_used(stale, now)
            uow.commit()


def add_within(uow: UnitOfWork, wanted: TokenRequest, secret: str, cause: Cause, owner: Person | None = None) -> Token:
    """`create_token` inside a transaction; with `owner` it is that person's own."""
    environment = wanted.environment
    if wanted.kind is TokenKind.SDK and environment is None:
        environment = FIRST
    _check(wanted, environment, cause.at)
    row = uow.environments.get(environment) if environment else None
    token = Token(
        id=0,
        kind=wanted.kind,
        name=wanted.name,
        role=wanted.role,
        environment=environment,
        hash=hashed(secret),
        hint=f"…{secret[-4:]}",
        created_at=cause.at,
        created_by=cause.actor.name,
        expires_at=wanted.expires_at,
        owner=owner,
    )
    record(uow, environment or EVERYWHERE, cause, Action.TOKEN_CREATE, *_changes(token))
    uow.counters.add(CHANGED)
    return uow.tokens.add(token, row.id if row else None)


def _changes(token: Token) -> list[Change]:
    told = {
        "kind": token.kind.value,
        "name": token.name,
        "environment": token.environment,
        "role": token.role.value if token.role else None,
        "owner": token.owner.email if token.owner else None,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }
    return [Change(name, None, value) for name, value in told.items() if value is not None]


def _check(wanted: TokenRequest, environment: str | None, now: datetime) -> None:
    errors = []
    if not 1 <= len(wanted.name.strip()) <= 200:
        errors.append(FieldError("name", "must have 1 to 200 characters: say who uses the token"))
    if wanted.kind is TokenKind.SDK and wanted.role:
        errors.append(FieldError("role", "is for admin tokens: an SDK token reads its snapshot and reports"))
    if wanted.kind is TokenKind.ADMIN and wanted.role is None:
        errors.append(FieldError("role", f"is missing: one of {', '.join(Role)}"))
    if environment == EVERYWHERE:
        errors.append(FieldError("environment", "names exactly one environment"))
    if wanted.expires_at and wanted.expires_at <= now:
        errors.append(FieldError("expires_at", "is over already"))
    if errors:
        raise InvalidInput(tuple(errors))
