"""`throwbar backtest`: what another policy would have done with the telemetry that is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import click

from controlplane.documents.reading import read_object
from controlplane.domain.words import one_in
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane

WORDS = {
    "suspicious": "suspicious",
    "hold": "would have held",
    "report": "would have reported a rollback",
    "roll_back": "would have rolled back",
    "advance": "would have advanced",
    "complete": "would have completed",
}


@click.command("backtest")
@click.argument("key")
@click.option("--policy", type=click.File("rb"), required=True, help="Guardrails as JSON; - reads standard input.")
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt; the newest one by default.")
@click.option("--since", type=click.DateTime(), help="Not before. UTC.")
@click.option("--until", type=click.DateTime(), help="Before. UTC.")
@on_the_plane
def backtest(
    plane: Plane, key: str, policy: BinaryIO, attempt: int | None, since: datetime | None, until: datetime | None
) -> Told:
    """Judge stored telemetry under other guardrails, and tell when they would have doubted, held or gone back.

    Shares are as they were: a policy is told what happened, not what it would have caused. Nothing is changed.
    """
    document = {
        "guardrails": read_object(policy.read()),
        "attempt": attempt,
        "since": _instant(since),
        "until": _instant(until),
    }
    found = plane.backtest(key, document)
    return Told(found, "\n".join(_lines(found)))


def _instant(given: datetime | None) -> str | None:
    return given.replace(tzinfo=UTC).isoformat() if given else None


def _lines(found: Answer) -> Iterator[str]:
    yield f"{found['flag']}  attempt {found['attempt']}  {found['from'][:19]} – {found['until'][:19]} UTC"
    if found["note"]:
        yield found["note"]
    rows = [("at", "what", "evidence", "because")]
    rows += [
        (each["at"][:19], WORDS[each["kind"]], f"1 in {one_in(each['log_evidence'])}", each["sentence"])
        for each in found["events"]
    ]
    yield columns(rows, "It would have done nothing.")
