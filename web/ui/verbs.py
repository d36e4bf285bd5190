"""What may a person do to a flag's rollout right now, and what will it do? Pure; the domain has the last word."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from controlplane.usecases.rollouts import BRAKES
from web.ui import phases

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """A button, the question it asks, and the sentence once it is done."""

    name: str
    label: str
    question: str
    done: str
    style: str = ""
    icon: str = ""

    @property
    def is_brake(self) -> bool:
        return self.name in BRAKES


_BACK_AT_ONCE = "Send every call to the baseline at once. Only a new start or an unlock brings the candidate back."
_NO_HOLD_BACK = "Send everything to the candidate. From then on nothing is left to compare it with."
_ALL = (
    Verb("start", "Start the rollout", "Begin a new attempt at the first stage.", "Started.", "primary", "play"),
    Verb("approve", "Approve", "Let it leave this stage once its bake is over.", "Approved.", "primary", "check"),
    Verb("resume", "Resume", "Apply the stage's percent again; its bake starts anew.", "Resumed.", "primary", "play"),
    Verb("finish", "Finish", _NO_HOLD_BACK, "Finished: everything goes to the candidate.", "primary", "check"),
    Verb("pause", "Pause", "Shares stay, and judging goes on; nothing advances.", "Paused.", "", "pause"),
    Verb("advance", "Advance now", "Go to the next stage without waiting for its bake.", "Advanced.", "", "skip"),
    Verb(
        "step-back", "One stage back", "Go back to the stage before, which bakes anew.", "One stage back.", "", "back"
    ),
    Verb("unlock", "Unlock", "Clear the rolled-back mark. Percents stay at 0.", "Unlocked.", "", "unlock"),
    Verb("abort", "Abort", "Give up this rollout: its operations go back to 0 %.", "Aborted.", "danger", "stop"),
    Verb("reconciled", "They are there now", "", "Written down: these writes are there now.", "", "check"),
    Verb("rollback", "Roll back", _BACK_AT_ONCE, "Rolled back: every call goes to the baseline.", "danger", "back"),
)
VERBS = {verb.name: verb for verb in _ALL}
_ONWARD = frozenset({"approve", "finish"})  # recommended where nothing speaks against it
_ELSEWHERE = frozenset({"rollback", "reconciled"})


def allowed(answer: Answer) -> list[Verb]:
    """The verbs of the rollout box; others stand where what they are about is shown."""
    if answer["archived_at"]:
        return []
    found = [verb for name, verb in VERBS.items() if name not in _ELSEWHERE and _is_allowed(name, answer)]
    doubted = (answer["rollout"]["waiting_for"] or "").startswith("holds")
    return [replace(verb, style="") if doubted and verb.name in _ONWARD else verb for verb in found]


def may_roll_back(answer: Answer) -> bool:
    return bool(answer["operations"]) and not answer["archived_at"] and not answer["rollout"]["rolled_back"]


def _is_allowed(name: str, answer: Answer) -> bool:
    rollout = answer["rollout"]
    state = rollout["state"]
    able: dict[str, bool] = {
        "start": _may_start(answer),
        "pause": state == "running",
        "resume": state == "paused",
        "advance": state == "running",
        "approve": rollout["asks_approval"],
        "step-back": state in ("running", "paused") and rollout["stage"] > 0,
        "abort": state in ("scheduled", "running", "paused", "completed"),
        "unlock": state in ("rolled_back", "locked")
        or rollout["rolled_back"]
        or bool(rollout["rolled_back_operations"]),
        "finish": may_finish(answer),
    }
    return able[name]


def may_finish(answer: Answer) -> bool:
    rollout = answer["rollout"]
    on_last = rollout["stage"] >= rollout["stages"] - 1
    return (rollout["state"] == "completed" or (rollout["state"] == "running" and on_last)) and phases.may_finish(
        answer
    )


def _may_start(answer: Answer) -> bool:
    rollout = answer["rollout"]
    ready = answer["enabled"] and answer["plan"] and answer["operations"]
    return bool(
        ready
        and rollout["state"] not in ("scheduled", "running", "paused", "locked")
        and not rollout["cool_down_until"]
        and rollout.get("phase") != "complete"
    )


def missing_for_start(answer: Answer) -> str | None:
    """What has to be done before a rollout can be started, if something is left to do."""
    if answer["archived_at"] or answer["rollout"]["state"] in ("scheduled", "running", "paused"):
        return None
    if not answer["candidate"]:
        return None
    if not answer["operations"]:
        return "Add an operation: it is what the rollout moves."
    if not answer["plan"]:
        return "Give the flag a plan: edit it and choose a template."
    if not answer["enabled"]:
        return "Enable the flag: a rollout moves only what is switched on."
    return None
