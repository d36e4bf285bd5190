"""`throwbar evidence`: recompute what the scheduler decided on, and hold it against what it recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from controlplane.domain.words import one_in
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane

Row = tuple[object, ...]


@click.command("evidence")
@click.argument("key")
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt; the newest one by default.")
@click.option("--at", help="An audit entry alone, by its id; or an instant in UTC at which to stop.")
@on_the_plane
def evidence(plane: Plane, key: str, attempt: int | None, at: str | None) -> Told:
    """Recompute the evidence of an attempt from its stored rows: exit status 1 when a decision differs.

    Numbers read "1 in N": luck alone would look this bad that rarely.
    """
    wanted = {"attempt": str(attempt)} if attempt else {}
    found = plane.show_evidence(key, wanted | ({"at": _at(at)} if at else {}))
    return Told(found, "\n".join(_lines(found)), ok=found["same"])


def _at(text: str) -> str:
    """An id as it is, an instant with its offset."""
    if text.isdecimal():
        return text
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = "--at is an audit entry's id, or an instant like 2026-01-31T12:00:00"
        raise click.UsageError(message) from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).isoformat()


def _lines(found: Answer) -> Iterator[str]:
    yield f"{found['flag']}  attempt {found['attempt']}  {found['baseline']} → {found['candidate']}  {found['code']}"
    if found["note"]:
        yield found["note"]
    yield columns(list(_decided(found)), "The scheduler has decided nothing in this attempt.")
    yield from (f"! entry {each['entry']}: {each['because']}" for each in found["decisions"] if each["because"])
    yield from _newest(found)


def _decided(found: Answer) -> Iterator[Row]:
    yield ("entry", "at", "action", "operation", "evidence", "recorded", "recomputed", "")
    for each in found["decisions"]:
        head = (each["entry"], each["at"][:19], each["action"])
        same = {True: "same", False: "DIFFERS", None: "rows are gone"}[each["same"]]
        yield (*head, "all", "flag", _worded(each["recorded"]), _worded(each["recomputed"]), same)
        for name, own in each["operations"].items():
            for metric, both in own.items():
                yield ("", "", "", name, metric, _worded(both["recorded"]), _worded(both["recomputed"]), "")


def _newest(found: Answer) -> Iterator[str]:
    """Where the evidence stood at the end of what was recomputed."""
    series = found["series"]
    if not series["times"] or series["overall"][-1] is None:
        return
    at = datetime.fromtimestamp(series["times"][-1], UTC)
    limit = one_in(found["log_limit"])
    yield f"At {at:%Y-%m-%d %H:%M:%S} UTC: 1 in {one_in(series['overall'][-1])}, limit 1 in {limit}."


def _worded(log_evidence: Any) -> str:  # noqa: ANN401 - a number or nothing
    return "–" if log_evidence is None else f"1 in {one_in(log_evidence)}"
