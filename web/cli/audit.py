"""`throwbar audit`: read the log, export it, prove it."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from controlplane.documents.tabular import AUDIT_COLUMNS, audit_row
from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane

PAGE = 500


@click.group()
def audit() -> None:
    """Read, export and prove the audit log."""


def _filters(command: Any) -> Any:  # noqa: ANN401 - a click decorator
    for name, help_line in (
        ("--flag", "Of this flag."),
        ("--actor", "By this actor."),
        ("--action", "Such as rollout:roll_back."),
    ):
        command = click.option(name, help=help_line)(command)
    for name, help_line in (("--since", "Not before."), ("--until", "Before.")):
        command = click.option(name, type=click.DateTime(), help=f"{help_line} UTC.")(command)
    return command


@audit.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1, PAGE), default=20, show_default=True)
@on_the_plane
def list_entries(plane: Plane, limit: int, **wanted: str | datetime | None) -> Told:
    """The newest entries."""
    found = plane.read_audit(_given(wanted), None, limit).items
    rows = [("id", "at", "actor", "action", "flag", "reason")]
    rows += [
        (each["id"], each["at"][:19], _who(each["actor"]), each["action"], each["flag"], each["reason"])
        for each in found
    ]
    return Told(found, columns(rows, "There are no such entries."))


@audit.command()
@on_the_plane
def verify(plane: Plane) -> Told:
    """Recompute the chain: exit status 1 when an entry was changed, removed or inserted."""
    found = plane.verify_audit()
    broken = found["broken"]
    text = broken["because"] if broken else f"{found['length']} entries, intact; head {found['head']}"
    return Told(found, text, ok=broken is None)


@audit.command()
@_filters
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@on_the_plane
def export(plane: Plane, form: str, **wanted: str | datetime | None) -> None:
    """Every entry, the newest first, as JSON lines or CSV."""
    entries = _all(plane, _given(wanted))
    if form == "jsonl":
        for each in entries:
            click.echo(json.dumps(each, ensure_ascii=False))
        return
    writer = csv.writer(sys.stdout)
    writer.writerow(AUDIT_COLUMNS)
    writer.writerows(audit_row(each) for each in entries)


def _who(actor: Mapping[str, str]) -> str:
    return f"{actor['name']} via token {actor['via']}" if actor.get("via") else actor["name"]


def _all(plane: Plane, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    before = None
    while True:
        page = plane.read_audit(wanted, before, PAGE)
        yield from page.items
        if page.next is None:
            return
        before = page.next


def _given(wanted: Mapping[str, str | datetime | None]) -> dict[str, str]:
    return {name: _text(value) for name, value in wanted.items() if value is not None}


def _text(value: str | datetime) -> str:
    return value.replace(tzinfo=UTC).isoformat() if isinstance(value, datetime) else value
