"""Where do calls go, since when, and what comes next? The big sentence of a flag's page, in parts with a tone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.domain.feature import DEFAULT_OPERATION
from web.ui import variants
from web.ui.moments import instant, moment, percent
from web.ui.phases import words

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence; `tone` is "baseline", "candidate" or "" and never the only carrier of meaning."""

    text: str
    tone: str = ""


Sentence = tuple[Part, ...]


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
    groups = [(percent(value), listing(names)) for value, names in sorted(by_percent.items(), reverse=True)]
    for number, (value, names) in enumerate(groups):
        yield Part(" and " if 0 < number == len(groups) - 1 else ", " if number else "")
        yield Part(value, "candidate")
        yield Part("" if names == DEFAULT_OPERATION and variants.is_feature(answer) else f" of {names}")


def listing(names: Sequence[str]) -> str:
    """Names of operations, or how many they are."""
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
