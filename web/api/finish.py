"""The finish line: whether a baseline is unused, and which flags look forgotten."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases.changing import Place
from controlplane.usecases.finish import describe_finish, list_stale
from web.api.answering import listed
from web.wiring import wired

blueprint = Blueprint("finish", __name__, url_prefix="/environments/<environment>")


@blueprint.get("/flags/<flag>/finish-line")
def show(environment: str, flag: str) -> Response:
    """Whether the baseline has been unused for 14 days, its last callers and their places in the code."""
    return jsonify(describe_finish(wired().store, Place(environment, flag), wired().clock()))


@blueprint.get("/stale")
def stale(environment: str) -> Response:
    """Flags that look forgotten: long over, long at one side, not called, or registered nowhere."""
    return listed(list_stale(wired().store, environment, wired().clock()))
