"""Rollout: a plan being carried out, and the one decision taken at each tick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.plan import Plan, Stage

COOL_DOWN = timedelta(minutes=30)
ATTEMPT_LIMIT = 3  # rollbacks by the scheduler before a person must unlock


class State(StrEnum):
    """Where a rollout stands. `idle` is a flag that nobody has started."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FINISHED = "finished"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"
    LOCKED = "locked"


class Step(StrEnum):
    """What a tick does to a rollout."""

    WAIT = "wait"
    HOLD = "hold"
    ADVANCE = "advance"
    COMPLETE = "complete"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Rollout:
    """`attempt` numbers the spans whose evidence belongs together; `rollbacks` counts those the scheduler took back."""

    state: State = State.IDLE
    stage: int = 0
    entered_at: datetime | None = None
    approved: bool = False
    attempt: int = 0
    rollbacks: int = 0
    cool_down_until: datetime | None = None

    @property
    def is_live(self) -> bool:
        """A plan is being carried out: its shares may not be changed by hand, unless paused."""
        return self.state in {State.RUNNING, State.PAUSED}

    def cools_down(self, now: datetime) -> bool:
        return self.state is State.ROLLED_BACK and self.cool_down_until is not None and now < self.cool_down_until

    def bakes_until(self, plan: Plan) -> datetime | None:
        """When the current stage has lasted long enough."""
        if self.entered_at is None:
            return None
        return self.entered_at + stage_of(plan, self).bake


def stage_of(plan: Plan, rollout: Rollout) -> Stage:
    """The stage the rollout is in; the last one when the plan has become shorter meanwhile."""
    return plan.stages[min(rollout.stage, len(plan.stages) - 1)]


def on_last_stage(plan: Plan, rollout: Rollout) -> bool:
    return rollout.stage >= len(plan.stages) - 1


@dataclass(frozen=True, slots=True)
class Decision:
    """A step and the sentence that says why."""

    step: Step
    because: str
    finding: Finding | None = None


def next_step(plan: Plan | None, rollout: Rollout, findings: Sequence[Finding], now: datetime) -> Decision:
    """Unhealthy wins over everything; doubt holds; time decides the rest, and a person's approval is the last gate.

    Judged in every state: a paused or completed rollout still rolls back, but only a running one advances.
    """
    breach = _first(findings, Consequence.ROLL_BACK)
    if breach:
        return Decision(Step.ROLL_BACK, breach.sentence, breach)
    if plan is None or rollout.state is not State.RUNNING:
        return Decision(Step.WAIT, "no rollout is running")
    doubt = _first(findings, Consequence.HOLD)
    if doubt:
        return Decision(Step.HOLD, doubt.sentence, doubt)
    return _by_time(plan, rollout, findings, now)


def _first(findings: Sequence[Finding], consequence: Consequence) -> Finding | None:
    return next((finding for finding in findings if finding.consequence is consequence), None)


def _by_time(plan: Plan, rollout: Rollout, findings: Sequence[Finding], now: datetime) -> Decision:
    due = rollout.bakes_until(plan)
    if due is None or now < due:
        return Decision(Step.WAIT, "bakes")
    unknown = next((finding for finding in findings if finding.verdict is Verdict.INCONCLUSIVE), None)
    if unknown:
        return Decision(Step.WAIT, unknown.sentence, unknown)  # ignored silence holds nothing, and advances nothing
    if stage_of(plan, rollout).approval and not rollout.approved:
        return Decision(Step.WAIT, "waits for approval")
    if on_last_stage(plan, rollout):
        return Decision(Step.COMPLETE, f"the last stage {_has_baked(findings)}")
    return Decision(Step.ADVANCE, f"stage {rollout.stage + 1} of {len(plan.stages)} {_has_baked(findings)}")


def _has_baked(findings: Sequence[Finding]) -> str:
    """Only what was judged may be called healthy."""
    breach = next((finding for finding in findings if finding.verdict is Verdict.UNHEALTHY), None)
    if breach:
        return f"has baked; its breach is only reported: {breach.sentence}"
    return "has baked and is healthy" if findings else "has baked"


def entered(rollout: Rollout, stage: int, now: datetime) -> Rollout:
    """The rollout on a stage, as entered now."""
    return replace(rollout, state=State.RUNNING, stage=stage, entered_at=now, approved=False)


def caught_up(plan: Plan, rollout: Rollout, now: datetime) -> Rollout:
    """The rollout after every stage whose bake is over by now, in one change.

    Only for plans without guardrails: a scheduler that slept must not skip the evidence of a stage. Each skipped
    stage counts as entered when the one before it was over.
    """
    while not on_last_stage(plan, rollout):
        due = rollout.bakes_until(plan)
        if due is None or now < due or (stage_of(plan, rollout).approval and not rollout.approved):
            break
        rollout = entered(rollout, rollout.stage + 1, due)
    return rollout


def completed(rollout: Rollout, now: datetime) -> Rollout:
    """The rollout after its last stage has baked. What was taken back before is made good."""
    return replace(rollout, state=State.COMPLETED, entered_at=now, rollbacks=0)


def taken_back(rollout: Rollout, now: datetime, *, automatic: bool) -> Rollout:
    """The rollout after a rollback: it cools down, and after the last allowed attempt it is locked."""
    rollbacks = rollout.rollbacks + 1 if automatic else rollout.rollbacks
    locked = automatic and rollbacks >= ATTEMPT_LIMIT
    return replace(
        rollout,
        state=State.LOCKED if locked else State.ROLLED_BACK,
        rollbacks=rollbacks,
        approved=False,
        entered_at=now,
        cool_down_until=now + COOL_DOWN,
    )
