"""Who is calling: a token, a person's session, nobody. And whether they may."""

import hashlib
import hmac
from dataclasses import dataclass, field

from flask import Response, g, request

from controlplane.domain.access import EVERYWHERE, Person, Role, Session, Token, TokenKind
from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.errors import NotAllowed, NotSignedIn, StaleForm
from controlplane.usecases.changing import Cause
from controlplane.usecases.signing_in import SESSION_LASTS, session_of
from controlplane.usecases.tokens import authenticate, mark_used
from web.access import Need, Rule, rule_of
from web.wiring import wired

COOKIE = "throwbar_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OUR_SITE = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known. `session` is there for a person in a browser only."""

    actor: Actor
    holder: Person | Token
    session: str | None = field(default=None, repr=False)

    @property
    def may_manage(self) -> bool:
        """SDK tokens read their snapshot and report, nothing else."""
        return not (isinstance(self.holder, Token) and self.holder.kind is TokenKind.SDK)

    def role_in(self, environment: str) -> Role | None:
        return self.holder.role_in(environment)


def guard() -> None:
    """Before each request: the caller is known as far as the table asks, or the request ends here."""
    if request.endpoint is None:
        return  # no such route: Flask answers 404 or 405 by itself
    rule = rule_of(request.endpoint)
    if rule is None:
        raise NotAllowed("this address has no access rule, so it is closed")
    if request.method not in SAFE and "Authorization" not in request.headers:
        _refuse_foreign_site()
    if rule is not Need.PUBLIC:
        _admit(caller(), rule)


def _admit(known: Caller, rule: Rule) -> None:
    if known.session and request.method not in SAFE:
        _require_csrf_token()
    if not known.may_manage:
        raise NotAllowed("an SDK token reads its snapshot and reports, nothing else: use an admin token")
    if not isinstance(rule, Role):
        return
    environment = str((request.view_args or {}).get("environment", EVERYWHERE))
    role = known.role_in(environment)
    if role is None or not role.covers(rule):
        where = "in every environment" if environment == EVERYWHERE else f"in '{environment}'"
        raise NotAllowed(f"this needs the role {rule} {where}, you have {role or 'none'}")


def caller() -> Caller:
    """Who is calling. Raises NotSignedIn."""
    known = caller_or_nobody()
    if known is None:
        raise NotSignedIn("sign in, or send a token as `Authorization: Bearer …`")
    return known


def caller_or_nobody() -> Caller | None:
    """Who is calling, on pages that anybody may see. Raises NotSignedIn for a token that is not valid."""
    if "caller" not in g:
        g.caller = _by_token() if "Authorization" in request.headers else _by_session()
    found: Caller | None = g.caller
    return found


def _by_token() -> Caller:
    scheme, _, secret = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("the header must read `Authorization: Bearer …`")
    wiring = wired()
    token = authenticate(wiring.store, secret.strip(), wiring.clock())
    mark_used(wiring.store, [token], wiring.clock())
    return Caller(_actor(token), token)


def _actor(token: Token) -> Actor:
    """Who acts by a token: its owner, who is one and the same with and without it; else the token itself."""
    if token.owner:
        return Actor(ActorKind.PERSON, token.owner.email, via=token.name)
    return Actor(ActorKind.TOKEN, token.name)


def _by_session() -> Caller | None:
    secret = request.cookies.get(COOKIE)
    person = session_of(wired().store, secret, wired().clock()) if secret else None
    return Caller(Actor(ActorKind.PERSON, person.email), person, secret) if person else None


def cause(reason: str = "", expected: int | None = None) -> Cause:
    """What a use case must know of this request. Raises NotSignedIn."""
    return Cause(caller().actor, wired().clock(), reason, g.request_id, expected)


def csrf_token() -> str:
    """What each form of a signed-in person carries; empty for everybody else."""
    known = caller_or_nobody()
    if known is None or known.session is None:
        return ""
    return hmac.new(wired().secret_key.encode(), f"csrf:{known.session}".encode(), hashlib.sha256).hexdigest()


def now_signed_in(session: Session) -> None:
    """The rest of this request is answered to the person of a session that has just begun."""
    person = session.person
    g.caller = Caller(Actor(ActorKind.PERSON, person.email), person, session.secret)


def _require_csrf_token() -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(given.encode(), csrf_token().encode()):
        raise StaleForm("this form is from another session: reload the page and try again")


def _refuse_foreign_site() -> None:
    """Forms that nobody is signed in for yet have no token; browsers tell where they come from.

    A sister of ours under the same domain ("same-site") is another site as well.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OUR_SITE:
        raise NotAllowed("this form was sent from another site")


def keep_session(response: Response, session: Session) -> None:
    """Hand a new session to the browser. JavaScript cannot read it, other sites cannot send it with a form."""
    response.set_cookie(
        COOKIE, session.secret, max_age=SESSION_LASTS, httponly=True, samesite="Lax", secure=request.is_secure
    )


def drop_session(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
