"""Freezes: when no rollout of an environment moves on by itself."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.appointments import freeze_document
from controlplane.usecases import freezes
from web.api import reading
from web.api.answering import created, listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("freezes", __name__, url_prefix="/environments/<environment>/freezes")


@blueprint.get("")
def list_all(environment: str) -> Response:
    """The freezes of an environment by their beginning, those that are over included."""
    return listed([freeze_document(each) for each in freezes.list_freezes(wired().store, environment)])


@blueprint.post("")
def add(environment: str) -> Response:
    """Let the scheduler start and advance nothing for a while. Brakes work as ever."""
    reading.known("reason")
    new = freezes.add_freeze(wired().store, environment, reading.body(), cause(reading.reason()))
    return created(jsonify(freeze_document(new)), f"/api/v1/environments/{environment}/freezes")


@blueprint.delete("/<int:number>")
def remove(environment: str, number: int) -> Response:
    """Let rollouts move on again."""
    reading.known("reason")
    return jsonify(freeze_document(freezes.remove_freeze(wired().store, environment, number, cause(reading.reason()))))
