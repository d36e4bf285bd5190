"""Signing in and out: by password, or by a link that works once and only after a click."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.access import Session
from controlplane.domain.errors import NotSignedIn, ThrowbarError, TooManyTries
from controlplane.usecases import signing_in as usecases
from web.auth import COOKIE, caller_or_nobody, drop_session, keep_session, now_signed_in
from web.errors import STATUS
from web.kept import carried, is_ours
from web.ui import way
from web.ui.answering import done_and_back, page, to
from web.wiring import wired

blueprint = Blueprint("signing_in", __name__)


@blueprint.get("/sign-in")
def form() -> Response:
    if caller_or_nobody():
        return to(_wanted())
    way.keep(request.args.get("then"))
    return page("sign_in.html", then=request.args.get("then"))


@blueprint.post("/sign-in")
def by_password() -> Response:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        session = usecases.sign_in(
            wired().store, email, password, wired().clock(), request.cookies.get(COOKIE), request.user_agent.string
        )
    except (NotSignedIn, TooManyTries) as error:
        return _once_more(error, email)
    kept = carried(request.form)
    if kept is None:
        return _with_session(session, to(_wanted()))
    now_signed_in(session)
    return _with_session(session, page("again.html", kept=kept))


def _wanted() -> str:
    """The page that the form names, else the one that this browser was on the way to."""
    then, kept = request.values.get("then", ""), way.taken()
    return then if is_ours(then) else kept


def _once_more(error: ThrowbarError, email: str) -> Response:
    told = {"message": error.message, "email": email, "kept": carried(request.form), "then": request.form.get("then")}
    response = page("sign_in.html", STATUS[type(error)], **told)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@blueprint.get("/sign-in/<secret>")
def by_link(secret: str) -> Response:
    """Only a button: programs that look at links before people do must not use them up."""
    return page("sign_in_link.html", secret=secret)


@blueprint.post("/sign-in/<secret>")
def use_link(secret: str) -> Response:
    try:
        session = usecases.use_link(
            wired().store, secret, wired().clock(), request.cookies.get(COOKIE), request.user_agent.string
        )
    except NotSignedIn as error:
        return page("sign_in.html", HTTPStatus.UNAUTHORIZED, message=error.message)
    following = way.taken() if session.person.has_password else url_for("ui.profile.first_password")
    return _with_session(session, to(following))


@blueprint.post("/sign-out")
def out() -> Response:
    known = caller_or_nobody()
    if known and known.session:
        usecases.sign_out(wired().store, known.session)
    response = done_and_back(url_for("ui.signing_in.form"), "You are signed out.")
    drop_session(response)
    return response


def _with_session(session: Session, response: Response) -> Response:
    keep_session(response, session)
    return response
