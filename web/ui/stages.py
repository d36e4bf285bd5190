"""How far has a rollout come? The stages of its plan as a page draws them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from web.ui.moments import instant, moment
from web.ui.phases import words

Answer = Mapping[str, Any]
_LIVE = ("running", "paused")
_MODES = {"shadow": "shadow", "dual_write": "dual write"}


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
