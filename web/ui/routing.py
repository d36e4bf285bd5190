"""What does the routing of a flag look like to a person? Pure: answers of the use cases → words and icons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web.ui.moments import THIN, count, percent, rate
from web.ui.present import Look

Answer = Mapping[str, Any]
EXAMPLES_SHOWN = 5
MODES = {
    "single": "Single: one side is called",
    "shadow": "Shadow: the other is compared",
    "aa": "A/A: the baseline twice, for its noise",
    "dual_write": "Dual write: both are written",
}
BREAKER_MODES = {
    "": "As the code says",
    "auto": "Automatic: the calls decide",
    "forced_open": "Forced open: baseline only",
    "forced_closed": "Forced closed: holds nothing back",
    "metrics_only": "Only measured: holds nothing back",
}
_STATES = {
    "open": Look("alert", "Open", "unhealthy"),
    "half_open": Look("unsure", "Half open", "inconclusive"),
    "closed": Look("check", "Closed", "healthy"),
    "forced_open": Look("hand", "Forced open", "inconclusive"),
    "forced_closed": Look("hand", "Forced closed", ""),
    "metrics_only": Look("info", "Only measured", ""),
}
_WORST_FIRST = ("open", "forced_open", "half_open", "metrics_only", "forced_closed")


def state_look(state: str) -> Look:
    """A state that a newer SDK invented is told in its own word."""
    return _STATES.get(state) or Look("info", state.replace("_", " ").capitalize(), "")


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that is not 0, and what it counts."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class OperationRouting:
    """One operation on the panel. `pairs` is what came of comparing, as a look and a sentence; None without any."""

    name: str
    mode: str
    breaker: Look
    breakers: tuple[tuple[Look, Answer], ...]
    facts: tuple[Fact, ...]
    pairs: tuple[Look, str] | None
    examples: tuple[Answer, ...]
    settings: Answer


def panel(answer: Answer, health: Answer, instances: int, mismatches: Sequence[Answer]) -> tuple[OperationRouting, ...]:
    """Every operation of a flag; `instances` is how many are alive."""
    return tuple(
        _operation(
            name, settings, health["operations"][name], instances, [m for m in mismatches if m["operation"] == name]
        )
        for name, settings in answer["operations"].items()
    )


def _operation(
    name: str, settings: Answer, seen: Answer, instances: int, mismatches: Sequence[Answer]
) -> OperationRouting:
    told, routing = seen["breakers"], seen["routing"]
    return OperationRouting(
        name=name,
        mode=_mode(settings),
        breaker=_breaker([each for each in told if each["side"] == "candidate"], instances),
        breakers=tuple((state_look(each["state"]), each) for each in told),
        facts=tuple(_facts(routing)),
        pairs=_pairs(routing),
        examples=tuple(mismatches[:EXAMPLES_SHOWN]),
        settings=settings,
    )


def _mode(settings: Answer) -> str:
    """What somebody set: the mode with its sample, a breaker that is told what to do, and a number of attempts."""
    mode, breaker = settings["mode"], settings.get("breaker", {}).get("mode", "auto")
    attempts = settings.get("retry", {}).get("attempts")
    words = "A/A" if mode == "aa" else str(mode).replace("_", " ")
    if mode in ("shadow", "aa"):
        words += f" for {percent(settings.get('shadow_percent', 1))} of keys"
    if breaker != "auto":
        words += f", breaker {state_look(breaker).word.lower()}"
    if attempts is not None:
        words += ", no retry" if attempts == 1 else f", at most {attempts} attempts"
    return words


def _breaker(told: Sequence[Answer], instances: int) -> Look:
    """The worst state of the candidate's breakers, and in how many instances."""
    if not instances:
        return Look("dash", "Not known: no service reports", "")
    states = [each["state"] for each in told if each["state"] != "closed"]
    if not states:
        return Look("check", "Closed everywhere", "healthy")
    worst = min(states, key=lambda state: _WORST_FIRST.index(state) if state in _WORST_FIRST else len(_WORST_FIRST))
    look = state_look(worst)
    return Look(look.icon, f"{look.word} in {states.count(worst)} of {instances}", look.style)


def _facts(routing: Answer) -> Iterable[Fact]:
    labels = {
        "retries": "retries",
        "fallbacks": "rescued by the baseline",
        "rejected": "held back by a breaker",
        "unknown": "writes of unknown outcome",
    }
    yield from (Fact(count(routing[name]), label) for name, label in labels.items() if routing[name])
    if routing["diverged"]:
        yield Fact(count(routing["diverged"]), "dual writes that reached one side only, since ever")
    shadow = routing["shadow"]
    if shadow["dropped"]:
        yield Fact(count(shadow["dropped"]), "copies that were dropped, to spare the service")
    if shadow["failed"]:
        yield Fact(count(shadow["failed"]), "pairs of which one side failed")
    if routing["ratio"]["p50"] is not None:
        p50, p99 = (_times(routing["ratio"][name]) for name in ("p50", "p99"))
        yield Fact(f"{p50}, p99{THIN}{p99}", "the candidate's time for the same call")


def _times(ratio: float) -> str:
    """Two digits that count, and no exponent: 7.31 → ×7.3, 724 → ×720."""
    return f"×{float(f'{ratio:.2g}'):g}"


def _pairs(routing: Answer) -> tuple[Look, str] | None:
    shadow, floor = routing["shadow"], routing["noise_floor"]
    compared = shadow["match"] + shadow["mismatch"]
    if not compared:
        if floor is None:
            return None
        return Look("info", "Noise floor", ""), f"the baseline differs from itself in {rate(floor)} of pairs"
    found = f"{count(shadow['mismatch'])} of {count(compared)} pairs differ, {rate(routing['mismatch_rate'])}"
    if floor is None:
        return Look("info", "No noise floor yet", ""), f"{found}; the mode A/A tells how much of that is noise"
    above = routing["mismatch_rate"] > floor
    look = Look("unsure", "Above the noise", "inconclusive") if above else Look("check", "Within the noise", "healthy")
    return look, f"{found}; the baseline differs from itself in {rate(floor)}"


def overridden(told: Sequence[Answer]) -> tuple[str, tuple[str, ...]] | None:
    """How many instances obey a local override, and which: "echo → baseline: i-1, i-2". None without any."""
    if not told:
        return None
    where: dict[tuple[str, str], list[str]] = {}
    for each in told:
        for place, side in each["overrides"].items():
            where.setdefault((place, side), []).append(each["instance"])
    number = len(told)
    sentence = f"{number} instance obeys" if number == 1 else f"{number} instances obey"
    lines = (f"{place} → {side}: {', '.join(names)}" for (place, side), names in sorted(where.items()))
    return f"{sentence} a local override", tuple(lines)


def seen_words(seen: Answer | None) -> str:
    """One side of a difference: "str of 4, #8c1f2ab0"; a value only where the service's own code shows it."""
    if seen is None:
        return "nothing"
    size = f" of {seen['size']}" if "size" in seen else ""
    if "value" in seen:
        return f"{seen['type']}{size}: {seen['value']}"
    return f"{seen['type']}{size}, #{seen['hash'][:8]}" if "hash" in seen else f"{seen['type']}{size}"
