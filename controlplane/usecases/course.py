"""Course: the evidence of an attempt as points on a line, gathered while it is replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.documents.decision_record import alpha_numbers, evidence_numbers, limit_numbers
from controlplane.domain.bucket import Bucket
from controlplane.domain.health import flag_evidence
from controlplane.usecases.judging import attempted
from controlplane.usecases.replaying import Replayed

Rates = dict[str, list[int]]  # operation → keys and bad keys of the baseline, then of the candidate


@dataclass(slots=True)
class Course:
    """One point for each step in which something was reported, and one for each checkpoint.

    Points since the newest checkpoint wait until the next one has confirmed that no row is missing.
    """

    step: int
    first: int
    points: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _since: int | None = None
    _counted: Rates = field(default_factory=dict)
    _newest: Replayed | None = None

    def add(self, state: Replayed) -> None:
        if state.opens:
            self._open(state)
        elif self._newest and _step_of(state, self.step) > _step_of(self._newest, self.step):
            self._close_step()
        self._newest = state
        for name, bucket in state.buckets.items():
            self._count(name, bucket)

    def end(self) -> list[dict[str, Any]]:
        """Every point, once nothing more comes."""
        self._close_step()
        self.points += self._waiting
        self._waiting = []
        return self.points

    def _open(self, state: Replayed) -> None:
        self._close_step()
        if state.since == self._since:
            self.points += self._waiting
        self._waiting, self._since = [], state.since

    def _close_step(self) -> None:
        state = self._newest
        if state and state.until > self.first and (self._counted or state.opens):
            self._waiting.append(_point(state, self.step, self._counted))
        self._counted = {}
        self._newest = None

    def _count(self, name: str, bucket: Bucket) -> None:
        counts = self._counted.setdefault(name, [0, 0, 0, 0])
        for stratum in bucket.strata:
            sides = (stratum.baseline, stratum.candidate)
            for place, number in enumerate(n for arm in sides for n in (arm.keys, arm.bad_keys)):
                counts[place] += number


def _step_of(state: Replayed, step: int) -> int:
    """`until` is one second behind the start of its newest bucket."""
    return (state.until - 1) // step


def _point(state: Replayed, step: int, counted: Mapping[str, list[int]]) -> dict[str, Any]:
    shared = list(attempted(state.flag, state.evidence).values())
    return {
        "time": state.until if state.opens else (_step_of(state, step) + 1) * step,
        "overall": flag_evidence(shared) if state.flag.guardrails else None,
        "operations": {name: _operation(state, name, counted.get(name)) for name in state.evidence},
    }


def _operation(state: Replayed, name: str, counted: list[int] | None) -> dict[str, Any]:
    seen = state.evidence[name]
    limits = state.flag.guardrails_of(name) if name in state.flag.operations else None
    numbers = evidence_numbers(seen)
    keys, bad, candidate_keys, candidate_bad = counted or (0, 0, 0, 0)
    return {
        "errors": numbers["errors"]["log_evidence"],
        "latency": numbers["latency"]["log_evidence"],
        "limits": {each: value["log_evidence"] for each, value in limit_numbers(limits, seen).items()}
        if limits
        else {},
        "baseline_rate": bad / keys if keys else None,
        "candidate_rate": candidate_bad / candidate_keys if candidate_keys else None,
        "log_limit": alpha_numbers(limits)["log_limit"],
    }


def series_of(points: list[dict[str, Any]], step: int) -> dict[str, Any]:
    """The points as lists of one length; null where an operation or a limit was not there yet."""
    names = list(dict.fromkeys(name for point in points for name in point["operations"]))
    return {
        "step": step,
        "times": [point["time"] for point in points],
        "overall": [point["overall"] for point in points],
        "operations": {name: _columns([point["operations"].get(name) or {} for point in points]) for name in names},
    }


def _columns(own: list[dict[str, Any]]) -> dict[str, Any]:
    limits = list(dict.fromkeys(name for each in own for name in each.get("limits", {})))
    plain = ("errors", "latency", "baseline_rate", "candidate_rate")
    return {
        **{name: [each.get(name) for each in own] for name in plain},
        "limits": {name: [each.get("limits", {}).get(name) for each in own] for name in limits},
        "log_limit": next((each["log_limit"] for each in reversed(own) if each), None),
    }
