"""All environments: what is in each, and a new one."""

from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput
from controlplane.usecases import environments as usecases
from web.errors import STATUS
from web.ui import asking
from web.ui.answering import done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("environments", __name__, url_prefix="/environments")


@blueprint.get("")
def list_all() -> Response:
    return _listed()


@blueprint.post("")
def create() -> Response:
    try:
        new = usecases.create_environment(wired().store, request.form.get("name", "").strip(), asking.asked())
    except (InvalidInput, AlreadyExists) as error:
        told = error.errors if isinstance(error, InvalidInput) else (FieldError("name", "is taken: choose another"),)
        return _listed(STATUS[type(error)], errors=shown_errors(told))
    return done_and_back(url_for("ui.flags.list_all", environment=new.name), f"{new.name} was created.")


def _listed(status: int = HTTPStatus.OK, **context: object) -> Response:
    found = usecases.list_environments(wired().store)
    asked = asking.fields() if status != HTTPStatus.OK else {}
    return page("environments.html", status, environments=found, asked=asked, now=asking.now(), **context)
