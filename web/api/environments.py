"""Environments: list and create."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.access import EnvironmentDocument
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
    return listed(
        [
            {"name": each.name, "version": each.version, "flags": each.flags, "created_at": each.created_at.isoformat()}
            for each in found
        ]
    )


@blueprint.post("")
def create() -> Response:
    """Create an environment."""
    reading.known("reason")
    name = parse(EnvironmentDocument, reading.body()).name
    new = environments.create_environment(wired().store, name, cause(reading.reason()))
    answer = {"name": new.name, "version": new.version, "flags": 0, "created_at": new.created_at.isoformat()}
    return created(jsonify(answer), f"/api/v1/environments/{new.name}/flags")
