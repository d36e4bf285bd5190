"""Signing in by OpenID Connect: off to the provider, and back with its word for who somebody is."""

import hmac
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request, session, url_for

from controlplane.domain.access import Session
from controlplane.domain.errors import NotFound, NotSignedIn, ProviderFailed, ThrowbarError, TooManyTries
from controlplane.usecases.vouching import Arrival, admit, count_arrival
from web.auth import COOKIE, keep_session
from web.errors import STATUS
from web.ui import way
from web.ui.answering import page, to
from web.wiring import wired

if TYPE_CHECKING:
    from web.openid import Journey, Provider

PLACE = "openid"
LASTS = timedelta(minutes=10)  # for passwords and second factors over there
LOST = "this browser did not start that sign-in, or it took too long: start again here"
ELSEWHERE = "that answer came from another provider: start again here"
blueprint = Blueprint("openid", __name__)


@blueprint.get("/sign-in/openid")
def leave() -> Response:
    try:
        address, journey = _provider().departure(url_for("ui.openid.come_back", _external=True))
    except ProviderFailed as error:
        return _once_more(error)
    session[PLACE] = {**asdict(journey), "at": wired().clock().timestamp()}
    return to(address)


@blueprint.get("/sign-in/openid/back")
def come_back() -> Response:
    provider = _provider()
    try:
        signed_in = _signed_in(provider, _journey())
    except (NotSignedIn, ProviderFailed, TooManyTries) as error:
        return _once_more(error)
    response = to(way.taken())
    keep_session(response, signed_in)
    return response


def _signed_in(provider: "Provider", journey: "Journey") -> Session:
    settings, now, tried = wired().settings, wired().clock(), request.remote_addr or ""
    if request.args.get("iss", settings.oidc_issuer) != settings.oidc_issuer:
        raise NotSignedIn(ELSEWHERE)
    code = request.args.get("code")
    if not code or "error" in request.args:
        raise NotSignedIn(f"{settings.admission.label} did not sign you in: start again here, or use a password")
    count_arrival(wired().store, tried, now)
    claims = provider.arrival(journey, code, now)
    arrival = Arrival(
        email=str(claims.get("email", "")),
        verified=claims.get("email_verified") is True,
        tried=tried,
        at=now,
        request_id=g.request_id,
        replacing=request.cookies.get(COOKIE),
        agent=request.user_agent.string,
    )
    return admit(wired().store, arrival, settings.admission)


def _journey() -> "Journey":
    """The one that this browser is on; it ends here, however it ends. Raises NotSignedIn."""
    from web.openid import Journey  # noqa: PLC0415 - as in `_provider`

    left = session.pop(PLACE, None)
    given = request.args.get("state", "")
    if not left or not hmac.compare_digest(given.encode(), left["state"].encode()):
        raise NotSignedIn(LOST)
    if wired().clock().timestamp() - left.pop("at") > LASTS.total_seconds():
        raise NotSignedIn(LOST)
    return Journey(**left)


def _provider() -> "Provider":
    if wired().settings.oidc_issuer is None:
        raise NotFound("signing in by OpenID Connect is not set up here: sign in with a password, or by a link")
    from web.openid import Provider  # noqa: PLC0415 - what it is made of is loaded by servers that use it

    return Provider(wired().settings)


def _once_more(error: ThrowbarError) -> Response:
    response = page("sign_in.html", STATUS[type(error)], message=error.message)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    return response
