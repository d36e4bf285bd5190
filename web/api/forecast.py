"""Forecast: how soon a plan's stages would see a regression."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases.changing import Place
from controlplane.usecases.planning import forecast_plan
from web.api import reading
from web.wiring import wired

blueprint = Blueprint("forecast", __name__, url_prefix="/environments/<environment>/flags/<flag>/forecast")


@blueprint.get("")
def show(environment: str, flag: str) -> Response:
    """What each stage of the flag's plan sees, with the traffic of the last day."""
    reading.known()
    return jsonify(forecast_plan(wired().store, Place(environment, flag), wired().clock(), wired().clockwork))


@blueprint.post("")
def try_plan(environment: str, flag: str) -> Response:
    """The same of another plan, which is only tried."""
    place, now = Place(environment, flag), wired().clock()
    return jsonify(forecast_plan(wired().store, place, now, wired().clockwork, reading.body()))
