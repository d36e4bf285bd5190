"""Criteria: whether a migration was a success, as a document and as a report to hand on."""

from flask import Blueprint, Response, jsonify

from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.usecases.changing import Place
from controlplane.usecases.criteria import describe_criteria
from controlplane.usecases.reporting import migration_report
from web.api import reading
from web.report import content_security, report_page
from web.wiring import wired

blueprint = Blueprint("criteria", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/criteria")
def show(environment: str, flag: str) -> Response:
    """Each success criterion as it stands: pass, fail or not enough data, with its sentences and numbers."""
    return jsonify(describe_criteria(wired().store, Place(environment, flag), wired().clock()))


@blueprint.get("/report")
def report(environment: str, flag: str) -> Response:
    """The report of a migration: criteria, checklists, test results. As JSON, or as one HTML file (`format=html`)."""
    reading.known("format")
    wanted = reading.text("format") or "json"
    if wanted not in {"json", "html"}:
        raise InvalidInput((FieldError("format", "must be json or html"),))
    found = migration_report(wired().store, Place(environment, flag), wired().clock())
    if wanted == "json":
        return jsonify(found)
    answer = Response(report_page(found), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = f"{content_security()}; frame-ancestors 'none'"
    return answer
