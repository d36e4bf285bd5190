"""Routing: what a key gets, and the examples behind a flag's counts; counts and breakers are part of its health."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.attributes import read_attributes
from controlplane.usecases import routing
from controlplane.usecases.changing import Place
from controlplane.usecases.deciding import decision_for
from web.api import reading
from web.api.answering import listed
from web.wiring import wired

blueprint = Blueprint("routing", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/decision")
def decision(environment: str, flag: str) -> Response:
    """What a service answers for a key, and why: by the flag as it stands, without overrides, pins and breakers."""
    reading.known("operation", "key", "attributes")
    operation = reading.text("operation") or ""
    attributes = read_attributes(reading.text("attributes") or "")
    return jsonify(decision_for(wired().store, Place(environment, flag), operation, reading.text("key"), attributes))


@blueprint.get("/mismatches")
def mismatches(environment: str, flag: str) -> Response:
    """The newest answers that differed between the sides, at most 100 an operation: types, sizes and keyed hashes."""
    operation, limit = _asked()
    return listed(routing.list_mismatches(wired().store, Place(environment, flag), operation, limit))


@blueprint.get("/receipts")
def receipts(environment: str, flag: str) -> Response:
    """The newest writes of which nobody knows whether they were done, at most 100 an operation."""
    operation, limit = _asked()
    return listed(routing.list_receipts(wired().store, Place(environment, flag), operation, limit))


def _asked() -> tuple[str | None, int]:
    reading.known("operation", "limit")
    return reading.text("operation"), reading.whole("limit", 1, 500, 100) or 100
