"""Backtest: what a policy would have done with what was seen. Pure: a fold over looks, each with the rollout as it was.

A policy is told what happened, not what it would have caused: shares stay as they were, so its advances are noted and
not carried out. Its first rollback is the end, because the calls after it would not have been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Decision, Rollout, Step, next_step

_TOO_EARLY_TO_TELL = "min_samples"  # every stage begins with it


class Kind(StrEnum):
    """What a policy would have done or said."""

    SUSPICIOUS = "suspicious"
    HOLD = "hold"
    REPORT = "report"
    ROLL_BACK = "roll_back"
    ADVANCE = "advance"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Moment:
    """One look: the plan and the rollout as they were, and what the policy finds; `overall` is ln of the evidence."""

    at: datetime
    plan: Plan | None
    rollout: Rollout
    findings: Sequence[Finding]
    overall: float


@dataclass(frozen=True, slots=True)
class Event:
    """The first time that a policy would have done one thing; `log_evidence` is ln of the flag's evidence then."""

    at: datetime
    kind: Kind
    sentence: str
    log_evidence: float
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A policy so far. `over` after its rollback."""

    events: tuple[Event, ...] = ()
    told: frozenset[tuple[object, ...]] = frozenset()
    over: bool = False


def looked(run: Run, moment: Moment) -> Run:
    """The run after one more look."""
    if run.over:
        return run
    decision = next_step(moment.plan, moment.rollout, moment.findings, moment.at)
    for finding in moment.findings:
        if _is_suspicious(finding):
            run = _told(run, moment, Kind.SUSPICIOUS, finding.sentence, finding)
    kind = _kind(decision)
    if kind is None:
        return run
    run = _told(run, moment, kind, decision.because, decision.finding)
    return replace(run, over=kind is Kind.ROLL_BACK)


def _is_suspicious(finding: Finding) -> bool:
    return finding.verdict is Verdict.INCONCLUSIVE and finding.guardrail.endswith("_vs_baseline")


def _kind(decision: Decision) -> Kind | None:
    finding = decision.finding
    if finding and finding.consequence is Consequence.REPORT:
        return Kind.REPORT
    if decision.step is Step.HOLD:
        return None if finding and finding.guardrail == _TOO_EARLY_TO_TELL else Kind.HOLD
    return {Step.ROLL_BACK: Kind.ROLL_BACK, Step.ADVANCE: Kind.ADVANCE, Step.COMPLETE: Kind.COMPLETE}.get(decision.step)


def _told(run: Run, moment: Moment, kind: Kind, sentence: str, finding: Finding | None) -> Run:
    """Each thing once: a doubt that comes and goes is one story, and a stage can be left only once."""
    stage = (moment.rollout.stage, moment.rollout.entered_at) if kind in {Kind.ADVANCE, Kind.COMPLETE} else ()
    word = (kind, *stage, *((finding.operation, finding.guardrail) if finding else ()))
    if word in run.told:
        return run
    event = Event(moment.at, kind, sentence, moment.overall, finding)
    return replace(run, events=(*run.events, event), told=run.told | {word})
