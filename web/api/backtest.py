"""Backtest: what another policy would have done with the telemetry that is kept. Changes nothing."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.fields import parse
from controlplane.usecases import backtest
from controlplane.usecases.changing import Place
from web.api import reading
from web.wiring import wired

blueprint = Blueprint("backtest", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.post("/backtest")
def run(environment: str, flag: str) -> Response:
    """Judge stored telemetry of an attempt under other guardrails: when they would have doubted, held, gone back.

    Reaches over at most 24 hours. Nothing is changed.
    """
    reading.known()
    asked, wiring = parse(BacktestDocument, reading.body()), wired()
    found = backtest.backtest(wiring.store, Place(environment, flag), asked, wiring.clock(), wiring.clockwork)
    return jsonify(found)
