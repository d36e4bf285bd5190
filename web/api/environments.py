"""Environments: list, create, and what each asks of its changes."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.access import EnvironmentDocument, EnvironmentPatch
from controlplane.documents.fields import parse
from controlplane.usecases import environments
from web.api import reading
from web.api.answering import created, listed
from web.auth import caller, cause
from web.wiring import wired

blueprint = Blueprint("environments", __name__, url_prefix="/environments")


@blueprint.get("")
def list_all() -> Response:
    """The environments in which the caller has a role; `version` is the snapshot's."""
    found = [each for each in environments.list_environments(wired().store) if caller().role_in(each.name)]
    return listed([environments.answer_environment(each) for each in found])


@blueprint.post("")
def create() -> Response:
    """Create an environment."""
    reading.known("reason")
    name = parse(EnvironmentDocument, reading.body()).name
    new = environments.create_environment(wired().store, name, cause(reading.reason()))
    return created(jsonify(environments.answer_environment(new)), f"/api/v1/environments/{new.name}")


@blueprint.get("/<environment>")
def show(environment: str) -> Response:
    """One environment; `version` is the snapshot's."""
    return jsonify(environments.answer_environment(environments.get_environment(wired().store, environment)))


@blueprint.patch("/<environment>")
def change(environment: str) -> Response:
    """Whether each change in it must say why. Brakes are never asked."""
    reading.known("reason")
    wanted = parse(EnvironmentPatch, reading.body())
    why = cause(reading.reason())
    changed = environments.set_environment(wired().store, environment, why, require_reason=wanted.require_reason)
    return jsonify(environments.answer_environment(changed))
