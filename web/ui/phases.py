"""What does a flag say of its data, where its plan moves any? Pure: answers → warnings, and what is confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.phases import Phase

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Missing:
    """Writes that one side's store has not got, and that somebody may say are there now."""

    side: str
    backend: str
    writes: int


@dataclass(frozen=True, slots=True)
class Data:
    """Where the data stand. `style` is good, warn or bad: how loudly `title` is said."""

    phase: str
    style: str
    title: str
    sentence: str
    missing: tuple[Missing, ...] = ()


def data(answer: Answer) -> Data | None:
    """None where no data move, and before anything is written twice."""
    rollout = answer["rollout"]
    phase, backlog = rollout.get("phase", "off"), rollout.get("backlog") or {"baseline": 0, "candidate": 0}
    if phase == "off" and not any(backlog.values()):
        return None
    missing = tuple(Missing(side, answer[side], backlog[side]) for side in ("baseline", "candidate") if backlog[side])
    sentence = rollout.get("way_back") or ""
    if phase == "complete":
        title = f"No way back: {answer['baseline']} is written no more"
        return Data(words(phase), "bad", title, _once(sentence), missing)
    if is_last_call(answer):
        title = f"The last phase before the point of no return: after it {answer['baseline']} is written no more"
        return Data(words(phase), "warn", title, sentence, missing)
    if missing:
        title = f"Writes are missing: {_listed(missing)}"
        return Data(words(phase), "bad" if backlog["baseline"] else "warn", title, sentence, missing)
    return Data(words(phase), "good", "Both stores are written, and nothing is missing in either", sentence)


def _once(sentence: str) -> str:
    """Without what the title says already."""
    rest = sentence.removeprefix("NO WAY BACK: ")
    return rest[:1].upper() + rest[1:]


def cost(data: Data | None) -> str:
    """What a person who is about to roll back has to know first; nothing where nothing would be lost."""
    return f" {data.sentence}." if data and data.style == "bad" else ""


def words(phase: str) -> str:
    return phase.replace("_", " ")


def _listed(missing: tuple[Missing, ...]) -> str:
    return " and ".join(f"{each.writes} in the store of {each.backend}" for each in missing)


def is_last_call(answer: Answer) -> bool:
    """Whether what comes next, by a person, is behind the point of no return."""
    phase: str | None = answer["rollout"].get("phase")
    return phase == Phase.RAMP_DOWN


def asks_key(answer: Answer) -> frozenset[str]:
    """The verbs that want the flag's key written down."""
    rollout, stages = answer["rollout"], answer["plan"]["stages"] if answer["plan"] else []
    if not is_last_call(answer):
        return frozenset()
    following = stages[rollout["stage"] + 1] if rollout["stage"] + 1 < len(stages) else {}
    return frozenset({"finish"} | ({"advance"} if following.get("phase") == Phase.COMPLETE else set()))


def may_finish(answer: Answer) -> bool:
    """Where data move, only behind the ramp-down."""
    moves = bool(answer["plan"]) and answer["plan"].get("kind") == "data"
    phase = answer["rollout"].get("phase")
    return not moves or phase in {Phase.RAMP_DOWN, Phase.COMPLETE}
