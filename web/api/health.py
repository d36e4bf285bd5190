"""Health: the verdict on a flag, its findings and the series behind them."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases.changing import Place
from controlplane.usecases.health import flag_health
from web.api import reading
from web.wiring import wired

blueprint = Blueprint("health", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/health")
def show(environment: str, flag: str) -> Response:
    """Verdict, findings with their sentences and numbers, series for charts; of the last 15 minutes by default."""
    reading.known("since", "until")
    since, until = reading.instant("since"), reading.instant("until")
    wiring = wired()
    found = flag_health(wiring.store, Place(environment, flag), wiring.clock(), wiring.clockwork, since, until)
    return jsonify(found)
