"""Evidence: what an attempt showed over time, recomputed from the stored rows, beside the decisions taken on it."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.acts import NEWEST
from controlplane.usecases.changing import Place
from controlplane.usecases.evidence import Asked, evidence_series
from web.api import reading
from web.wiring import wired

blueprint = Blueprint("evidence", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/evidence")
def show(environment: str, flag: str) -> Response:
    """The evidence of an attempt over time, and its decisions held against what the stored rows give.

    `at` is an audit entry, of which alone is spoken then, or an instant at which to stop.
    """
    reading.known("attempt", "at", "since", "until")
    wiring = wired()
    found = evidence_series(wiring.store, Place(environment, flag), wiring.clock(), wiring.clockwork, _asked())
    return jsonify(found)


def _asked() -> Asked:
    at = reading.text("at")
    entry = reading.whole("at", 1, NEWEST) if at and at.isdecimal() else None
    stop = reading.instant("at") if at and entry is None else reading.instant("until")
    return Asked(reading.whole("attempt", 1, 2**31 - 1), reading.instant("since"), stop, entry)
