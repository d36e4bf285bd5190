"""Health: the verdict on a flag, its findings and the series behind them."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases.changing import Place
from controlplane.usecases.health import flag_health
from controlplane.usecases.series import RANGES
from web.api import reading
from web.wiring import wired

blueprint = Blueprint("health", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/health")
def show(environment: str, flag: str) -> Response:
    """Verdict, findings with their sentences and numbers, series for charts; of the last 15 minutes by default.

    `range` is how far back the series reach, from `until` or from now; or name their beginning, `since`.
    """
    reading.known("range", "since", "until")
    wiring = wired()
    now, span, until = wiring.clock(), reading.one_of("range", RANGES), reading.instant("until")
    since = reading.instant("since") or ((until or now) - RANGES[span] if span else None)
    return jsonify(flag_health(wiring.store, Place(environment, flag), now, wiring.clockwork, since, until))
