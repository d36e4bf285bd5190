"""People: list, add, give a role, disable and enable, make a sign-in link."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.access import PersonDocument, RoleDocument, person_document
from controlplane.documents.acts import ReasonDocument
from controlplane.documents.fields import parse
from controlplane.usecases import people
from controlplane.usecases.disabling import disable_person, enable_person
from controlplane.usecases.signing_in import create_link as make_link
from web.api import reading
from web.api.answering import created, listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("people", __name__, url_prefix="/users")


@blueprint.get("")
def list_all() -> Response:
    """Everybody who may sign in, and their roles by environment; `*` stands for all of them."""
    return listed([person_document(each) for each in people.list_people(wired().store)])


@blueprint.post("")
def add() -> Response:
    """Add somebody, who signs in by a link until they have set a password."""
    reading.known("reason")
    given = parse(PersonDocument, reading.body())
    new = people.add_person(wired().store, given.email, given.role, cause(reading.reason()), given.environment)
    return created(jsonify(person_document(new)), "/api/v1/users")


@blueprint.put("/<int:person>")
def set_role(person: int) -> Response:
    """Give somebody a role in one environment, or everywhere; null takes it away."""
    reading.known("reason")
    given = parse(RoleDocument, reading.body())
    changed = people.set_role(wired().store, person, given.role, cause(reading.reason()), given.environment)
    return jsonify(person_document(changed))


@blueprint.post("/<int:person>/disable")
def disable(person: int) -> Response:
    """Shut somebody out: their sessions, links and own tokens end at once."""
    return jsonify(person_document(disable_person(wired().store, person, cause(_given_reason()))))


@blueprint.post("/<int:person>/enable")
def enable(person: int) -> Response:
    """Let somebody sign in again, with the roles and the password they had."""
    return jsonify(person_document(enable_person(wired().store, person, cause(_given_reason()))))


@blueprint.post("/<int:person>/link")
def create_link(person: int) -> Response:
    """Make a link that signs somebody in once, within a day. `secret` is shown this once."""
    email = people.get_person(wired().store, person).email
    secret = make_link(wired().store, email, cause())
    return created(jsonify({"email": email, "secret": secret}), "/api/v1/users")


def _given_reason() -> str:
    reading.known()
    return parse(ReasonDocument, reading.body(optional=True)).reason
