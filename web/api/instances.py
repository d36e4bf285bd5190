"""Instances: which processes report, and whether a flip has landed in all of them."""

from flask import Blueprint, Response, jsonify

from controlplane.usecases import instances
from controlplane.usecases.changing import Place
from web.api.answering import listed
from web.wiring import wired

blueprint = Blueprint("instances", __name__, url_prefix="/environments/<environment>")


@blueprint.get("/instances")
def list_all(environment: str) -> Response:
    """Every process heard of in the last days, the silent ones marked."""
    return listed(instances.list_instances(wired().store, environment, wired().clock()))


@blueprint.get("/flags/<flag>/convergence")
def convergence(environment: str, flag: str) -> Response:
    """How many live instances obey the newest snapshot, and which do not yet."""
    return jsonify(instances.convergence(wired().store, Place(environment, flag), wired().clock()))
