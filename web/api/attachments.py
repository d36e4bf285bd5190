"""Attachments: what a pipeline knows of a migration and telemetry does not."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases import attachments
from controlplane.usecases.changing import Place
from web.api import reading
from web.api.answering import listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("attachments", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/attachments")
def list_all(environment: str, flag: str) -> Response:
    """The test results attached to a flag, from the newest backwards; at most 200 are kept."""
    reading.known("limit")
    limit = reading.whole("limit", 1, 500, 100) or 100
    return listed(attachments.list_attachments(wired().store, Place(environment, flag), limit))


@blueprint.post("/evidence")
def attach(environment: str, flag: str) -> tuple[Response, int]:
    """Attach a run of tests: its commit, its result, and where it can be read."""
    reading.known("reason")
    kept = attachments.attach(wired().store, Place(environment, flag), reading.body(), cause(reading.reason()))
    return jsonify(kept), 201
