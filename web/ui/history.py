"""The audit log of an environment: filtered, page by page, and proved."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request

from controlplane.documents.acts import NEWEST
from controlplane.documents.tabular import audit_head, audit_lines
from controlplane.domain.audit import Action
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.usecases.entries import describe_entry
from controlplane.usecases.history import Filter, Page, export_entries, get_entry, list_entries
from controlplane.usecases.history import verify as verify_chain
from web.ui import asking
from web.ui.diffs import ACTIONS
from web.wiring import wired

blueprint = Blueprint("history", __name__, url_prefix="/environments/<environment>/audit")
Entry = dict[str, Any]  # as the contract words it
PAGE = 50
FIELDS = ("flag", "actor", "action", "text", "since", "until")


@blueprint.get("")
def show(environment: str) -> str:
    return render_template("audit.html", verification=None, **_entries(environment))


@blueprint.get("/verify")
def verify(environment: str) -> str:
    """The same page, with the whole chain recomputed."""
    verification = verify_chain(wired().store, environment)
    return render_template("audit.html", verification=verification, **_entries(environment))


@blueprint.get("/<int:entry>")
def entry(environment: str, entry: int) -> str:
    """One entry at an address of its own."""
    found = get_entry(wired().store, environment, min(entry, NEWEST))
    told = describe_entry(found)
    return render_template("audit_entry.html", environment=environment, entry=told, now=asking.now())


@blueprint.get("/export")
def export(environment: str) -> Response:
    """Every entry that the filters find, as a file: CSV for a table, else JSON."""
    asked, problems = _asked()
    if problems:
        raise InvalidInput(tuple(FieldError(name, sentence) for name, sentence in problems.items()))
    pages = (
        [describe_entry(each) for each in page] for page in export_entries(wired().store, environment, _filter(asked))
    )
    form = "csv" if request.args.get("format") == "csv" else "json"
    parts = _as_csv(pages) if form == "csv" else _as_json(pages)
    response = Response(parts, mimetype="text/csv" if form == "csv" else "application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{environment}.{form}"'
    return response


def _as_csv(pages: Iterable[list[Entry]]) -> Iterator[str]:
    yield audit_head()
    for page in pages:
        yield audit_lines(page)


def _as_json(pages: Iterable[list[Entry]]) -> Iterator[str]:
    """One document, which is no JSON before its last byte: what was cut off cannot pass for the whole."""
    between = ""
    yield '{"items": ['
    for page in pages:
        for each in page:
            yield f"{between}\n{json.dumps(each, ensure_ascii=False)}"
            between = ","
    yield "\n]}\n"


def _asked() -> tuple[dict[str, str], dict[str, str]]:
    """What was asked for, and what of it nobody can read."""
    asked = {name: request.args.get(name, "").strip() for name in FIELDS}
    wrong = {name: "is no date like 2027-01-31" for name in ("since", "until") if asked[name] and not _day(asked[name])}
    strange = {name: "holds a character that cannot be looked for" for name in FIELDS if "\x00" in asked[name]}
    return asked, wrong | strange


def _day(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if 1971 <= found.year <= 9000 else None


def _filter(asked: dict[str, str], before: int | None = None) -> Filter:
    """`until` names the last day that belongs to it."""
    flag, actor, action, text = (asked[name] or None for name in ("flag", "actor", "action", "text"))
    until = _day(asked["until"])
    return Filter(
        flag=flag,
        actor=actor,
        action=action,
        text=text,
        since=_day(asked["since"]),
        until=until + timedelta(days=1) if until else None,
        before=before,
    )


def _entries(environment: str) -> dict[str, Any]:
    asked, errors = _asked()
    before = request.args.get("before", type=int)
    wanted = _filter(asked, None if before is None else min(before, NEWEST))
    found = Page((), None) if errors else list_entries(wired().store, environment, wanted, PAGE)
    return {
        "errors": errors,
        "filters": {name: value for name, value in asked.items() if value},
        "environment": environment,
        "entries": [describe_entry(each) for each in found.items],
        "next": found.next,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "actions": {each.value: ACTIONS[each.value] for each in Action},
        "now": asking.now(),
    }
