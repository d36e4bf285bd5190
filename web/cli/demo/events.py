"""How an audit entry, or a change of health, becomes a line of the timeline. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from web.cli.demo.run import Event


def event_from(entry: Mapping[str, Any], began_at: datetime) -> Event:
    """`entry` as `GET /audit` answers it; `began_at` is when the traffic did."""
    actor = entry["actor"]
    return Event(
        at=(datetime.fromisoformat(entry["at"]) - began_at).total_seconds(),
        action=entry["action"],
        actor=actor["kind"],
        sentence=entry["reason"],
        percent=_percent_after(entry["changes"]),
    )


def _percent_after(changes: list[Mapping[str, Any]]) -> float | None:
    """The largest share that an operation was given; None when no share was touched."""
    given = [
        change["to"]
        for change in changes
        if change["path"].startswith("operations.") and change["path"].endswith(".percent")
    ]
    return max(given, default=None)


def health_event(health: Mapping[str, Any], at: float) -> Event | None:
    """The verdict that `GET /health` answers, with the sentence of a finding that carries it; None when none does."""
    verdict = health["verdict"]
    findings = [finding for operation in health["operations"].values() for finding in operation["findings"]]
    sentence = next((finding["sentence"] for finding in findings if finding["verdict"] == verdict), None)
    return Event(at, verdict, "health", sentence) if sentence else None
