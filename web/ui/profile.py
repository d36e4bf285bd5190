"""One's own account: the password, and ending every session."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.errors import InvalidInput, NotSignedIn, TooManyTries
from controlplane.usecases import people, signing_in
from web.auth import drop_session, keep_session
from web.ui import asking
from web.ui.answering import done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("profile", __name__, url_prefix="/profile")


@blueprint.get("")
def show() -> Response:
    return page("profile.html", person=asking.signed_in_person())


@blueprint.get("/first-password")
def first_password() -> Response:
    return page("first_password.html", person=asking.signed_in_person())


@blueprint.post("/password")
def set_password() -> Response:
    """Every other session ends; this browser gets a new one."""
    person, template = asking.signed_in_person(), "profile.html"
    if not person.has_password:
        template = "first_password.html"
    errors = _wrong(person.email) if person.has_password else {}
    if errors:
        return page(template, HTTPStatus.UNPROCESSABLE_ENTITY, person=person, errors=errors)
    try:
        people.set_password(wired().store, person.id, request.form.get("password", ""), asking.asked())
    except InvalidInput as error:
        return page(template, HTTPStatus.UNPROCESSABLE_ENTITY, person=person, errors=shown_errors(error.errors))
    return _signed_in_again(person.email)


def _wrong(email: str) -> dict[str, str]:
    """Whoever finds an open browser shall not be able to take the account with it."""
    try:
        signing_in.sign_in(wired().store, email, request.form.get("current", ""), wired().clock())
    except NotSignedIn:
        return {"current": "is not your password"}
    except TooManyTries as error:
        return {"current": error.message}
    return {}


def _signed_in_again(email: str) -> Response:
    session = signing_in.sign_in(wired().store, email, request.form.get("password", ""), wired().clock())
    response = done_and_back(url_for("ui.flags.home"), "Your password is set. Every other session has ended.")
    keep_session(response, session)
    return response


@blueprint.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    signing_in.sign_out_everywhere(wired().store, asking.signed_in_person().id)
    response = done_and_back(url_for("ui.signing_in.form"), "You are signed out on every device.")
    drop_session(response)
    return response
