"""What does the list of flags say first? Pure: what needs somebody, how the whole stands, and what a filter leaves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from web.ui import diffs, present, standing
from web.ui.moments import instant, percent

Answer = Mapping[str, Any]
AT_ONCE = 50  # rows on a page
STATES = {
    "attention": "Needs attention",
    "moving": "Moving",
    "paused": "Paused",
    "back": "Rolled back",
    "off": "Off",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why somebody should look at a flag. `style`: unhealthy, inconclusive or waiting; `verb` is what they may do."""

    style: str
    title: str
    why: str
    at: datetime | None
    verb: str = ""


def alarm(answer: Answer, now: datetime) -> Alarm | None:
    """None for a flag that is fine."""
    style, change = present.attention(answer, now), answer["last_change"]
    if style is None:
        return None
    at = instant(change["at"]) if change else None
    rollout, waits = answer["rollout"], (standing.waiting(answer, now) or "")
    if rollout["rolled_back"] or rollout["rolled_back_operations"]:
        return _taken_back(answer, at)
    if style == "waiting":
        return Alarm(style, "Waits for an approval", f"{answer['candidate']} has baked", at, "approve")
    if style == "unhealthy":
        return Alarm(style, f"{answer['candidate']} is unhealthy", waits.removeprefix("holds: "), at, "rollback")
    return Alarm(style, f"Holds at {percent(rollout['percent'])}", waits.removeprefix("holds: "), at)


def _taken_back(answer: Answer, at: datetime | None) -> Alarm:
    change, rollout = answer["last_change"], answer["rollout"]
    what = "Rolled back" if rollout["rolled_back"] else f"Rolled back {', '.join(rollout['rolled_back_operations'])}"
    if change is None or change["action"] != "rollout:roll_back":
        return Alarm("unhealthy", what, standing.goes_to(answer), at)
    by = "automatically" if diffs.is_automatic(change) else f"by {diffs.actor(change['actor'])}"
    return Alarm("unhealthy", f"{what} {by}", change["reason"], at)


def states_of(answer: Answer, now: datetime) -> set[str]:
    """Which of `STATES` a flag is in."""
    rollout, found = answer["rollout"], set()
    if present.attention(answer, now):
        found.add("attention")
    if rollout["rolled_back"] or rollout["rolled_back_operations"]:
        found.add("back")
    if not answer["enabled"]:
        found.add("off")
    elif rollout["state"] in {"running", "scheduled"}:
        found.add("moving")
    elif rollout["state"] == "paused":
        found.add("paused")
    return found


@dataclass(frozen=True, slots=True)
class Wish:
    """What the address asks to see."""

    search: str = ""
    state: str = ""
    kind: str = ""
    owner: str = ""
    tag: str = ""
    archived: bool = False
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.state or self.kind or self.owner or self.tag)

    @property
    def query(self) -> dict[str, str]:
        """The address's own words, without the page."""
        words = {"q": self.search, "state": self.state, "kind": self.kind, "owner": self.owner, "tag": self.tag}
        words["archived"] = "1" if self.archived else ""
        return {name: value for name, value in words.items() if value}


@dataclass(frozen=True, slots=True)
class Overview:
    """`rows` are one page of what was found, those that need somebody first; `counts` are of the whole environment."""

    rows: Sequence[Answer]
    alarms: Mapping[str, Alarm]
    found: int
    counts: Mapping[str, int] = field(default_factory=dict)
    kinds: Sequence[str] = ()
    owners: Sequence[str] = ()
    tags: Sequence[str] = ()
    pages: int = 1

    @property
    def worst(self) -> str:
        """The style of the whole: healthy, waiting, inconclusive or unhealthy."""
        styles = {each.style for each in self.alarms.values()}
        return next((style for style in ("unhealthy", "inconclusive", "waiting") if style in styles), "healthy")


def overview(flags: Sequence[Answer], wish: Wish, now: datetime) -> Overview:
    """The flags of an environment as a page of the list shows them."""
    states = {flag["key"]: states_of(flag, now) for flag in flags}
    alarms = {flag["key"]: told for flag in flags if (told := alarm(flag, now))}
    found = sorted(
        (flag for flag in flags if _is_wanted(flag, wish, states[flag["key"]])),
        key=lambda flag: (_urgency(alarms.get(flag["key"])), flag["key"]),
    )
    first = (wish.page - 1) * AT_ONCE
    return Overview(
        rows=found[first : first + AT_ONCE],
        alarms=alarms,
        found=len(found),
        counts={state: sum(state in each for each in states.values()) for state in STATES},
        kinds=_known(flag["kind"] for flag in flags),
        owners=_known(flag["owner"] for flag in flags),
        tags=_known(tag for flag in flags for tag in flag["tags"]),
        pages=max(1, -(-len(found) // AT_ONCE)),
    )


def _is_wanted(flag: Answer, wish: Wish, states: set[str]) -> bool:
    return (
        (not wish.state or wish.state in states)
        and (not wish.kind or wish.kind == flag["kind"])
        and (not wish.owner or flag["owner"] == wish.owner)
        and (not wish.tag or wish.tag in flag["tags"])
        and present.matches(flag, wish.search)
    )


def _urgency(told: Alarm | None) -> int:
    order = ("unhealthy", "waiting", "inconclusive")
    return order.index(told.style) if told else len(order)


def _known(words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word}, key=str.lower)
