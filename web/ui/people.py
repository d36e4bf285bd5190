"""People: who may sign in, with which role; and links for those who cannot yet."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.access import EVERYWHERE, Role
from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput, NotFound, Refused, ThrowbarError
from controlplane.usecases import people as usecases
from controlplane.usecases.disabling import disable_person, enable_person
from controlplane.usecases.environments import list_environments
from controlplane.usecases.signing_in import create_link
from web.errors import STATUS
from web.ui import asking
from web.ui.answering import Notice, done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("people", __name__, url_prefix="/people")


@blueprint.get("")
def list_all() -> Response:
    return _listed()


@blueprint.post("")
def add() -> Response:
    """Somebody new, and the link that lets them in, shown once."""
    email, where = request.form.get("email", ""), _environment()
    try:
        person = usecases.add_person(wired().store, email, _role() or Role.VIEWER, asking.asked(), where)
    except (InvalidInput, AlreadyExists) as error:
        told = error.errors if isinstance(error, InvalidInput) else (FieldError("email", error.message),)
        return _listed(STATUS[type(error)], errors=shown_errors(told))
    return _with_link(person.email)


@blueprint.post("/<int:person_id>/role")
def set_role(person_id: int) -> Response:
    try:
        person = usecases.set_role(wired().store, person_id, _role(), asking.asked(), _environment())
    except (Refused, InvalidInput) as error:
        return _refused(error)
    return done_and_back(url_for("ui.people.list_all"), f"The role of {person.email} was changed.")


@blueprint.post("/<int:person_id>/disable")
def disable(person_id: int) -> Response:
    try:
        person = disable_person(wired().store, person_id, asking.asked())
    except Refused as error:
        return _refused(error)
    told = f"{person.email} is disabled: every session, link and token of theirs has ended."
    return done_and_back(url_for("ui.people.list_all"), told)


@blueprint.post("/<int:person_id>/enable")
def enable(person_id: int) -> Response:
    try:
        person = enable_person(wired().store, person_id, asking.asked())
    except InvalidInput as error:
        return _refused(error)
    return done_and_back(url_for("ui.people.list_all"), f"{person.email} may sign in again.")


@blueprint.post("/link")
def link() -> Response:
    try:
        return _with_link(request.form.get("email", ""))
    except Refused as error:
        return _refused(error)


def _with_link(email: str) -> Response:
    secret = create_link(wired().store, email, asking.asked())
    return _listed(link=url_for("ui.signing_in.by_link", secret=secret, _external=True), link_for=email)


def _refused(error: ThrowbarError) -> Response:
    details = error.errors if isinstance(error, InvalidInput) else ()
    title = "Nothing was changed." if details else f"Nothing was changed: {error.message}."
    return _listed(STATUS[type(error)], notice=Notice("bad", title, details))


def _role() -> Role | None:
    """None takes the role away."""
    given = request.form.get("role", "")
    return Role(given) if given in list(Role) else None


def _environment() -> str:
    """Raises NotFound for one that does not exist: a role there would be a surprise for whoever makes it later."""
    given = request.form.get("environment") or EVERYWHERE
    if given != EVERYWHERE and given not in _environments():
        raise NotFound(f"there is no environment '{given}'")
    return given


def _environments() -> list[str]:
    return [each.name for each in list_environments(wired().store)]


def _listed(status: int = HTTPStatus.OK, **context: object) -> Response:
    return page(
        "people.html",
        status,
        asked=asking.fields() if status != HTTPStatus.OK else {},
        people=usecases.list_people(wired().store),
        names=_environments(),
        roles=list(Role),
        asked_by=asking.who_wants_reasons(),
        now=asking.now(),
        **context,
    )
