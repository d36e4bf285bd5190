"""What does a flag look like to a person? Pure: answers of the use cases → words, icons and what may be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from web.ui import diffs
from web.ui.moments import instant
from web.ui.standing import listing

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """An icon and a word for a verdict; `style` names its colour."""

    icon: str
    word: str
    style: str


_LOOKS = {
    "healthy": Look("check", "Healthy", "healthy"),
    "inconclusive": Look("unsure", "Inconclusive", "inconclusive"),
    "unhealthy": Look("alert", "Unhealthy", "unhealthy"),
}
_NOT_JUDGED = Look("dash", "Not judged", "")
_YOUNG = Look("clock", "Not enough data yet", "")


def look(verdict: str | None, *, held: bool) -> Look:
    """What nobody can tell yet is no reason to look up, unless it holds something."""
    return _YOUNG if verdict == "inconclusive" and not held else _LOOKS.get(verdict or "", _NOT_JUDGED)


def shown_health(answer: Answer) -> Look:
    """The chip of a flag in the list: what was done about it is said before what was judged."""
    rollout = answer["rollout"]
    if rollout["rolled_back"]:
        return Look("back", "Locked" if rollout["state"] == "locked" else "Rolled back", "unhealthy")
    if not answer["enabled"]:
        return Look("off", "Disabled", "")
    if not answer["candidate"]:
        return Look("off", "Enabled", "")
    return look(answer["health"], held=answer["held"])


@dataclass(frozen=True, slots=True)
class Banner:
    """What happened to the flag that nobody may overlook."""

    title: str
    sentence: str
    automatic: bool
    entry: int | None


def banner(answer: Answer, history: Sequence[Answer]) -> Banner | None:
    """The rollback that is in force, by whom and why."""
    rollout = answer["rollout"]
    marked = rollout["rolled_back_operations"]
    if not rollout["rolled_back"] and not marked:
        return None
    newest = next((entry for entry in history if entry["action"] == "rollout:roll_back"), None)
    what = "" if rollout["rolled_back"] else f" {listing(marked)}"
    at = instant(newest["at"]) if newest else None
    if newest is None or at is None:
        return Banner(f"Rolled back{what}", "", automatic=False, entry=None)
    automatic = diffs.is_automatic(newest)
    by = "automatically" if automatic else f"by {diffs.actor(newest['actor'])}"
    title = f"Rolled back{what} {by} at {at:%H:%M:%S} UTC"
    return Banner(title, newest["reason"] or "No reason was given.", automatic, newest["id"])


def attention(answer: Answer, now: datetime) -> str | None:
    """Why somebody should look at this flag now; None for one that is fine."""
    rollout, waits = answer["rollout"], answer["rollout"]["waiting_for"] or ""
    due = instant(rollout["bakes_until"])
    if rollout["rolled_back"] or rollout["rolled_back_operations"] or answer.get("health") == "unhealthy":
        return "unhealthy"
    if waits.startswith("holds: would roll back"):
        return "unhealthy"
    if waits.startswith("holds") and answer["held"]:
        return "inconclusive"
    if rollout["state"] == "running" and due and due <= now and "approve" in waits:
        return "waiting"
    return None


def matches(answer: Answer, wanted: str) -> bool:
    """Whether every word of a search occurs in what a person knows a flag by."""
    known = ("key", "description", "owner", "baseline", "candidate")
    held = (*answer["tags"], *answer["operations"], *answer.get("variants", {}))
    text = " ".join([*(answer[name] for name in known), *held]).lower()
    return all(word in text for word in wanted.lower().split())
