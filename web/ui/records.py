"""How is a decision record told to a person? Pure: the JSON of an audit entry → words and rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.domain.words import one_in
from web.ui.moments import count, instant, moment, percent, rate

Answer = Mapping[str, Any]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Side:
    """One operation at one share: both sides' keys and rates, and what the evidence was."""

    operation: str
    share: str
    baseline: str
    candidate: str
    errors: str
    latency: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A record in words. `facts` are pairs of a name and its value; `attempt` is for the command that recomputes it."""

    sentence: str
    facts: tuple[tuple[str, str], ...]
    sides: tuple[Side, ...]
    attempt: int


def decided(entry: Answer) -> Decided | None:
    """What an entry was decided on; None where it holds no record of this shape."""
    record = entry["record"]
    if record.get("schema") != SCHEMA:
        return None
    sides = tuple(side for name, each in record["operations"].items() for side in _sides(name, each))
    return Decided(record["sentence"], tuple(_facts(record)), sides, record["attempt"])


def _deciding(record: Answer) -> Answer | None:
    """The numbers of the finding that fired, where it has evidence of its own."""
    fired = ((each["guardrail"], each["operation"]) for each in record["findings"])
    numbers = dict(zip(fired, (each["numbers"] for each in record["findings"]), strict=True))
    own: Answer = numbers.get((record["rule"], record["operation"]), {})
    return own if "log_limit" in own else None


def _facts(record: Answer) -> Iterator[tuple[str, str]]:
    yield "Rule", f"{record['rule']}: {record['rule_means']}" if record["rule_means"] else record["rule"]
    if own := _deciding(record):
        yield "Evidence", f"1 in {one_in(own['log_evidence'])}; limit 1 in {one_in(own['log_limit'])}"
    compared = f"1 in {one_in(record['log_evidence'])}; limit 1 in {one_in(record['log_limit'])}"
    yield "Comparison, all operations", compared
    for name, each in record["operations"].items():
        rows, tolerance = each["rows"], each["tolerance"]
        if tolerance:
            worded = f"errors ×{tolerance['error_rate_ratio']:g} + {rate(tolerance['error_rate_margin'])}"
            effect = f"design effect {each['design_effect']:g}"
            yield f"Tolerance of {name}", f"{worded}, latency ×{tolerance['latency_ratio']:g}, {effect}"
        for limit, told in each["limits"].items():
            yield f"{limit} of {name}", f"1 in {one_in(told['log_evidence'])}"
        if rows["buckets"]:
            first, last = (_clock(rows[end]) for end in ("from", "until"))
            yield f"Rows of {name}", f"{count(rows['buckets'])} buckets, {first} – {last} UTC, {rows['digest'][:12]}"
    yield "Computed by", f"{record['code']}, on version {record['flag_version']}, attempt {record['attempt']}"


def _clock(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M:%S}"


def _sides(name: str, operation: Answer) -> Iterator[Side]:
    errors, latency = (f"1 in {one_in(operation[each]['log_evidence'])}" for each in ("errors", "latency"))
    for number, stratum in enumerate(operation["rows"]["strata"]):
        baseline, candidate = _side(stratum["baseline"]), _side(stratum["candidate"])
        told = (errors, latency) if number == 0 else ("", "")
        yield Side(name, percent(stratum["percent"]), baseline, candidate, *told)


def _side(told: Answer) -> str:
    return f"{rate(told['rate'])} ({count(told['bad_keys'])} of {count(told['keys'])} keys)"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rollback that a policy was only allowed to report."""

    title: str
    sentence: str
    entry: int


def rehearsal(answer: Answer, history: Sequence[Answer], now: datetime) -> Rehearsal | None:
    """What would have been rolled back in the attempt that is on; None where nothing would, or was."""
    newest = next((each for each in history if each["action"] == "rollout:would_roll_back"), None)
    if newest is None or answer["rollout"]["rolled_back"]:
        return None
    at = instant(newest["at"])
    if at is None or newest["record"].get("attempt") != answer["rollout"]["attempt"]:
        return None
    evidence = one_in(newest["record"]["log_evidence"])
    title = f"Would have rolled back at {moment(at, now)} (1 in {evidence})"
    return Rehearsal(title, newest["record"].get("sentence", newest["reason"]), newest["id"])
