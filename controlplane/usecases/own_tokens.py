"""Own tokens: what a person's programs show to act in that person's name, with at most that person's rights."""

from controlplane.domain.access import EVERYWHERE, Person, Token, TokenKind, TokenRequest
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause
from controlplane.usecases.secrets import new_secret
from controlplane.usecases.tokens import add_within, revoke_within

MOST = 20  # that open something, of one person: whoever needs more has forgotten some


def create_own_token(store: Store, person: Person, wanted: TokenRequest, cause: Cause) -> tuple[Token, str]:
    """The token and its secret, which is shown this once. Raises InvalidInput, NotFound, Refused."""
    secret = new_secret(f"tb_{TokenKind.ADMIN}")
    with store.writing() as uow:
        owner = uow.people.get(person.id)
        _require_own_rights(owner, wanted)
        _require_room(uow, owner, cause)
        token = add_within(uow, wanted, secret, cause, owner)
        uow.commit()
    return token, secret


def list_own_tokens(store: Store, person: Person) -> list[Token]:
    """Those that are not revoked, the newest first."""
    with store.reading() as uow:
        return [each for each in reversed(uow.tokens.of(person)) if not each.revoked_at]


def revoke_own_token(store: Store, person: Person, token_id: int, cause: Cause) -> Token:
    """It opens nothing from now on. Raises NotFound for anybody else's."""
    with store.writing() as uow:
        mine = next((each for each in uow.tokens.of(person) if each.id == token_id), None)
        if mine is None:
            message = f"you have no token {token_id}"
            raise NotFound(message)
        revoked = revoke_within(uow, mine, cause)
        uow.commit()
    return revoked


def revoke_own_tokens(store: Store, person: Person, cause: Cause) -> int:
    """None of one's tokens opens anything from now on; how many that were."""
    with store.writing() as uow:
        number = revoke_all_within(uow, person, cause)
        uow.commit()
    return number


def revoke_all_within(uow: UnitOfWork, owner: Person, cause: Cause) -> int:
    """`revoke_own_tokens` inside a transaction. The locks of environments are taken in one order, whoever asks."""
    order = [each.name for each in uow.environments.all()]
    open_ones = [each for each in uow.tokens.of(owner) if not each.revoked_at]
    for each in sorted(open_ones, key=lambda token: order.index(token.environment or order[0])):
        revoke_within(uow, each, cause)
    return len(open_ones)


def _require_own_rights(owner: Person, wanted: TokenRequest) -> None:
    """Asked again at every call, of the rights that the owner has then: this only says it early."""
    where = wanted.environment or EVERYWHERE
    own = owner.role_in(where)
    place = "in every environment" if where == EVERYWHERE else f"in {where}"
    if own is None:
        raise InvalidInput((FieldError("environment", f"you have no role {place}: choose one where you have"),))
    if wanted.role and not own.covers(wanted.role):
        raise InvalidInput((FieldError("role", f"is more than you have {place}: at most {own}"),))


def _require_room(uow: UnitOfWork, owner: Person, cause: Cause) -> None:
    if sum(each.is_valid(cause.at) for each in uow.tokens.of(owner)) >= MOST:
        message = f"you have {MOST} tokens already: revoke one that nobody uses"
        raise Refused(message)
