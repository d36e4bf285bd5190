"""The snapshot as people look at it; services poll theirs elsewhere."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases.snapshots import current_snapshot
from web.wiring import wired

blueprint = Blueprint("snapshot", __name__, url_prefix="/environments/<environment>")


@blueprint.get("/snapshot")
def show(environment: str) -> Response:
    """What the services of an environment are told now."""
    return jsonify(current_snapshot(wired().store, environment, wired().clockwork))
