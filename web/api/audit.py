"""Audit: who changed what, when and why; as pages of JSON, as CSV, and proved."""

from dataclasses import replace

from flask import Blueprint, Response, jsonify

from controlplane.documents.acts import NEWEST
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.usecases.changing import Place
from controlplane.usecases.entries import describe_entry
from controlplane.usecases.flags import get_flag
from controlplane.usecases.history import Filter, list_entries
from controlplane.usecases.history import verify as verify_chain
from web.api import reading
from web.api.answering import audit_table, listed
from web.wiring import wired

blueprint = Blueprint("audit", __name__, url_prefix="/environments/<environment>")


@blueprint.get("/audit")
def list_all(environment: str) -> Response:
    """The audit log from the newest entry backwards; `next` is the `before` of the following page."""
    reading.known("flag", "actor", "action", "text", "since", "until", "before", "limit", "format")
    flag, actor, action, text = (reading.text(name) for name in ("flag", "actor", "action", "text"))
    wanted = Filter(flag=flag, actor=actor, action=action, text=text)
    return _answer(environment, wanted)


@blueprint.get("/flags/<flag>/history")
def history(environment: str, flag: str) -> Response:
    """The audit entries of one flag."""
    reading.known("actor", "action", "since", "until", "before", "limit", "format")
    get_flag(wired().store, Place(environment, flag))
    return _answer(environment, Filter(flag=flag, actor=reading.text("actor"), action=reading.text("action")))


@blueprint.get("/audit/verify")
def verify(environment: str) -> Response:
    """Recompute the whole chain: `broken` is null, or says which entry was changed, removed or inserted."""
    found = verify_chain(wired().store, environment)
    broken = {"entry": found.broken.entry, "because": found.broken.because} if found.broken else None
    return jsonify({"environment": environment, "length": found.length, "head": found.head, "broken": broken})


def _answer(environment: str, wanted: Filter) -> Response:
    form = reading.text("format") or "json"
    if form not in {"json", "csv"}:
        raise InvalidInput((FieldError("format", "must be json or csv"),))
    spanned = replace(
        wanted,
        since=reading.instant("since"),
        until=reading.instant("until"),
        before=reading.whole("before", 1, NEWEST),
    )
    page = list_entries(wired().store, environment, spanned, reading.whole("limit", 1, 500, 50) or 50)
    items = [describe_entry(entry) for entry in page.items]
    if form == "json":
        return listed(items, page.next)
    response = audit_table(items)
    if page.next:
        response.headers["Throwbar-Next"] = str(page.next)
    return response
