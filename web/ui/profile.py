"""One's own account: the password, and where one is signed in."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.access import Person, Role
from controlplane.domain.errors import InvalidInput, NotSignedIn, TooManyTries
from controlplane.usecases import people, signing_in
from controlplane.usecases.own_tokens import list_own_tokens, revoke_own_tokens
from web.auth import caller, drop_session, keep_session
from web.ui import asking, way
from web.ui.answering import done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("profile", __name__, url_prefix="/profile")


@blueprint.get("")
def show() -> Response:
    return shown_profile()


def shown_profile(status: int = HTTPStatus.OK, **context: object) -> Response:
    """The page with everything of one's own; `context` is what was just done to a part of it."""
    person, known, viewer = asking.signed_in_person(), caller(), asking.viewer()
    return page(
        "profile.html",
        status,
        person=person,
        sessions=signing_in.list_sessions(wired().store, person.id, asking.now()),
        this=signing_in.handle_of(known.session or ""),
        tokens=list_own_tokens(wired().store, person),
        names=viewer.environments if viewer else (),
        roles=list(Role),
        asked_by=asking.who_wants_reasons(),
        asked=asking.fields() if "token_errors" in context else {},
        now=asking.now(),
        **context,
    )


@blueprint.get("/first-password")
def first_password() -> Response:
    return page("first_password.html", person=asking.signed_in_person(), later=way.ahead())


@blueprint.post("/password")
def set_password() -> Response:
    """Every other session ends; this browser gets a new one."""
    person = asking.signed_in_person()
    if errors := wrong_password(person):
        return shown_profile(HTTPStatus.UNPROCESSABLE_ENTITY, errors=errors)
    try:
        people.set_password(wired().store, person.id, request.form.get("password", ""), asking.asked())
    except InvalidInput as error:
        return _refused(person, shown_errors(error.errors))
    return _signed_in_again(person.email, _revoked_too(person))


def _revoked_too(person: Person) -> str:
    """What was done to one's own tokens, where that was asked for as well."""
    if not request.form.get("tokens"):
        return ""
    number = revoke_own_tokens(wired().store, person, asking.asked())
    return f" {number} {'token was' if number == 1 else 'tokens were'} revoked."


def _refused(person: Person, errors: dict[str, str]) -> Response:
    if person.has_password:
        return shown_profile(HTTPStatus.UNPROCESSABLE_ENTITY, errors=errors)
    return page(
        "first_password.html",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        person=person,
        errors=errors,
        later=way.ahead(),
    )


def wrong_password(person: Person) -> dict[str, str]:
    """Whoever finds an open browser shall not be able to take the account with it. Empty where all is well."""
    if not person.has_password:
        return {}
    try:
        tried = signing_in.sign_in(wired().store, person.email, request.form.get("current", ""), wired().clock())
        signing_in.sign_out(wired().store, tried.secret)
    except NotSignedIn:
        return {"current": "is not your password"}
    except TooManyTries as error:
        return {"current": error.message}
    return {}


def _signed_in_again(email: str, revoked: str) -> Response:
    password, agent = request.form.get("password", ""), request.user_agent.string
    session = signing_in.sign_in(wired().store, email, password, wired().clock(), agent=agent)
    response = done_and_back(way.taken(), f"Your password is set. Every other session has ended.{revoked}")
    keep_session(response, session)
    return response


@blueprint.post("/sessions/<handle>/end")
def end_session(handle: str) -> Response:
    """One other browser is signed out."""
    signing_in.end_session(wired().store, asking.signed_in_person().id, handle)
    return done_and_back(url_for("ui.profile.show"), "That session has ended.")


@blueprint.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    person = asking.signed_in_person()
    revoked = _revoked_too(person)
    signing_in.sign_out_everywhere(wired().store, person.id)
    response = done_and_back(url_for("ui.signing_in.form"), f"You are signed out on every device.{revoked}")
    drop_session(response)
    return response
