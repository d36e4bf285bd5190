"""What does a flag look like to a person? Pure: answers of the use cases → words, icons and what may be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain.feature import DEFAULT_OPERATION
from web.ui import diffs, variants
from web.ui.moments import instant, moment, percent
from web.ui.phases import words

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence; `tone` is "baseline", "candidate" or "" and never the only carrier of meaning."""

    text: str
    tone: str = ""


Sentence = tuple[Part, ...]


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
_LIVE = ("running", "paused")


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


def state(answer: Answer, now: datetime) -> Sentence:
    """The big sentence: where calls go, since when, and what comes next."""
    rollout, goes = answer["rollout"], _goes(answer)
    since, baseline = _since(rollout, now), Part(answer["baseline"], "baseline")
    if answer["archived_at"]:
        return (Part(f"Archived: no service is told about it any more, and {goes} "), baseline, Part("."))
    if rollout["rolled_back"]:
        return (Part(f"Rolled back: {goes} "), baseline, Part(f"{since}."))
    if not answer["enabled"]:
        return (Part(f"Disabled: {goes} "), baseline, Part("."))
    if not answer["candidate"]:
        return (Part(_by_targeting(answer)), baseline, Part("."))
    if not any(each["percent"] for each in answer["operations"].values()):
        opening = _opening(rollout) or "Enabled at 0 %: "
        return (Part(f"{opening}{goes} "), baseline, Part(_but_rules(answer) + _besides(answer)))
    return (
        Part(_opening(rollout)),
        *_shares(answer),
        Part(" get " if variants.is_feature(answer) else " on "),
        _candidate(answer),
        Part(_coda(answer, now, since) + (" Who is targeted gets that instead." if answer.get("targeting") else "")),
    )


def goes_to(answer: Answer) -> str:
    """Where everything goes that nothing sends elsewhere, as the end of a sentence."""
    return f"{_goes(answer)} {answer['baseline']}"


def _goes(answer: Answer) -> str:
    return "everybody gets" if variants.is_feature(answer) else "every call goes to"


def _by_targeting(answer: Answer) -> str:
    if answer["targeting"]:
        return "Enabled: who is targeted gets what the targeting says, and everybody else "
    return "Enabled without targeting: everybody gets "


def _since(rollout: Answer, now: datetime) -> str:
    at = instant(rollout["entered_at"])
    return f" since {moment(at, now)}" if at else ""


def _candidate(answer: Answer) -> Part:
    return Part(answer["candidate"], "candidate")


def _but_rules(answer: Answer) -> str:
    if answer.get("targeting"):
        return ", but for who is targeted."
    return ", but for what the rules say." if any(rule["serve"] == "candidate" for rule in answer["rules"]) else "."


def _besides(answer: Answer) -> str:
    """What also happens to calls that nobody is served by the candidate in."""
    modes = {each.get("mode") for each in answer["operations"].values()}
    written = f" Writes also go to {answer['candidate']}." if "dual_write" in modes else ""
    return f" Answers are compared with those of {answer['candidate']}." if "shadow" in modes else written


def _opening(rollout: Answer) -> str:
    """Whether it is paused, and where the data stand, where any move."""
    paused, phase = rollout["state"] == "paused", rollout.get("phase", "off")
    if phase == "off":
        return "Paused: " if paused else ""
    return f"Paused in the phase {words(phase)}: " if paused else f"Phase {words(phase)}: "


def _shares(answer: Answer) -> Iterator[Part]:
    """All with one percent in one breath, "5 % of echo and simple_predict", else each with its own."""
    by_percent: dict[float, list[str]] = {}
    for name, each in answer["operations"].items():
        if each["percent"]:
            by_percent.setdefault(each["percent"], []).append(name)
    groups = [(percent(value), _listing(names)) for value, names in sorted(by_percent.items(), reverse=True)]
    for number, (value, names) in enumerate(groups):
        yield Part(" and " if 0 < number == len(groups) - 1 else ", " if number else "")
        yield Part(value, "candidate")
        yield Part("" if names == DEFAULT_OPERATION and variants.is_feature(answer) else f" of {names}")


def _listing(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{len(names)} operations"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _coda(answer: Answer, now: datetime, since: str) -> str:
    rollout = answer["rollout"]
    due = instant(rollout["bakes_until"])
    if rollout["state"] == "running" and due:
        return f"{since}, bakes until {moment(due, now)}." if now < due else f"{since}, has baked."
    if rollout["state"] in ("paused", "finished"):
        return f"{since}."
    if rollout["state"] == "completed":
        return f"; the last stage has baked{since.replace('since', 'at')}."
    return ", set by hand."


def waiting(answer: Answer, now: datetime) -> str | None:
    """What the rollout waits for, with the instants of this reader's page; None where nothing is awaited."""
    rollout, told = answer["rollout"], answer["rollout"]["waiting_for"]
    due, cool = instant(rollout["bakes_until"]), instant(rollout["cool_down_until"])
    if told and cool:
        return f"cools down until {moment(cool, now)}, or until somebody unlocks it"
    if told and due and told.startswith("bakes until"):
        return f"bakes until {moment(due, now)}"
    return str(told) if told else None


@dataclass(frozen=True, slots=True)
class Station:
    """One stage of the list. `style`: past, present, stopped or planned; `done` is 0…1 of its bake."""

    percent: float
    bake_seconds: float
    approval: bool
    style: str
    note: str
    done: float | None = None
    mode: str = ""
    follows: bool = False  # it repeats the last one, for the operations that lag behind


_MODES = {"shadow": "shadow", "dual_write": "dual write"}


def stations(answer: Answer, now: datetime) -> list[Station]:
    """The stages of the plan, as far as the rollout has come; those included in which only some operations follow."""
    if not answer["plan"]:
        return []
    own = answer["plan"]["stages"]
    lived = [*own, *[own[-1]] * (answer["rollout"]["stages"] - len(own))]
    return [_station(answer, number, stage, now) for number, stage in enumerate(lived)]


def _station(answer: Answer, number: int, stage: Answer, now: datetime) -> Station:
    rollout = answer["rollout"]
    style = _style(rollout, number)
    note, done = "", None
    if style == "stopped":
        note = "rolled back here" if rollout["state"] in ("rolled_back", "locked") else "aborted here"
    elif style == "present":
        note, done = _progress(rollout, now)
    own = answer["plan"]["stages"]
    mode = _mode(own, min(number, len(own) - 1))
    follows = number >= len(own)
    return Station(stage["percent"], stage["bake_seconds"], stage["approval"], style, note, done, mode, follows)


def _mode(stages: Sequence[Answer], number: int) -> str:
    """What else happens to a call at a stage: its phase, where data move, or what it says, or the one before it."""
    if phase := stages[number].get("phase"):
        return words(phase)
    named = (stages[each].get("mode") for each in range(number, -1, -1))
    return _MODES.get(next((mode for mode in named if mode), "single"), "")


def _style(rollout: Answer, number: int) -> str:
    if rollout["state"] in ("completed", "finished"):
        return "past"
    if rollout["state"] == "idle" or number > rollout["stage"]:
        return "planned"
    if rollout["state"] not in _LIVE and number == rollout["stage"]:
        return "stopped" if rollout["attempt"] else "planned"
    return "present" if number == rollout["stage"] else "past"


def _progress(rollout: Answer, now: datetime) -> tuple[str, float | None]:
    since, due = instant(rollout["entered_at"]), instant(rollout["bakes_until"])
    if rollout["state"] == "paused":
        return "paused here", None
    if not since or not due or now >= due:
        return "has baked", 1.0
    whole = (due - since).total_seconds()
    return f"bakes until {moment(due, now)}", (now - since).total_seconds() / whole if whole else 1.0


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
    what = "" if rollout["rolled_back"] else f" {_listing(marked)}"
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
