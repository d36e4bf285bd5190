"""Rollout: a plan being carried out, and the one decision taken at each tick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from controlplane.domain.calendar import ALWAYS_OPEN, Calendar
from controlplane.domain.convergence import Barrier, Fleet
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.phases import Phase
from controlplane.domain.plan import Plan, Stage

COOL_DOWN = timedelta(minutes=30)
ATTEMPT_LIMIT = 3  # rollbacks by the scheduler before a person must unlock
APPROVAL = "waits for approval"
PERSON_CONFIRMS = "waits for a person to confirm complete, from where no way leads back"
LONGEST_PATIENCE = 4  # times the planned bake: an attempt after a rollback bakes twice as long, the next four times


class State(StrEnum):
    """Where a rollout stands. `idle` is a flag that nobody has started."""

    IDLE = "idle"
    SCHEDULED = "scheduled"
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
    PAUSE = "pause"
    START = "start"
    ADVANCE = "advance"
    COMPLETE = "complete"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Rollout:
    """`attempt` numbers the spans whose evidence belongs together; `rollbacks` counts those the scheduler took back.

    `start_at` is when a scheduled rollout is due; `started_by` and `approved_by` are names of actors, and so are
    `replanned_by`: those who changed a plan that wants two people after this attempt was started. `phase` is where the
    data stand: kept here, so that an edited plan does not move it. `no_way_back_since`: when the baseline's store
    began to miss what is written. `lost_approval`: one of those took an approval out of the plan, so that the present
    stage is left with a second person's word alone.
    """

    state: State = State.IDLE
    stage: int = 0
    entered_at: datetime | None = None
    approved: bool = False
    attempt: int = 0
    rollbacks: int = 0
    cool_down_until: datetime | None = None
    start_at: datetime | None = None
    started_by: str = ""
    approved_by: str = ""
    replanned_by: tuple[str, ...] = ()
    phase: Phase = Phase.OFF
    no_way_back_since: datetime | None = None
    lost_approval: bool = False

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
        return self.entered_at + stage_of(plan, self).bake * self.patience

    @property
    def patience(self) -> int:
        """By how much each bake is longer than planned, after what the attempts before have shown."""
        return min(1 << self.rollbacks, LONGEST_PATIENCE)


def stage_of(plan: Plan, rollout: Rollout) -> Stage:
    """The stage the rollout is in; the last one when the plan has become shorter meanwhile."""
    return plan.stage(rollout.stage)


def asks_approval(plan: Plan, rollout: Rollout) -> bool:
    """Whether somebody has yet to let it leave its stage: the stage asks, or the plan no longer does and has to."""
    return (stage_of(plan, rollout).approval or rollout.lost_approval) and not rollout.approved


def on_last_stage(plan: Plan, rollout: Rollout) -> bool:
    return rollout.stage >= plan.length - 1


@dataclass(frozen=True, slots=True)
class Decision:
    """A step and the sentence that says why."""

    step: Step
    because: str
    finding: Finding | None = None

    @property
    def asks_somebody(self) -> bool:
        """The stage has baked, and only a person lets it be left."""
        return self.step is Step.WAIT and self.because in {APPROVAL, PERSON_CONFIRMS}


def next_step(
    plan: Plan | None,
    rollout: Rollout,
    findings: Sequence[Finding],
    now: datetime,
    calendar: Calendar = ALWAYS_OPEN,
) -> Decision:
    """Unhealthy wins over everything; doubt holds; time decides the rest, and a person's approval is the last gate.

    What a policy may only report holds as well: who rehearses a rollback has not said that the candidate is fine.
    Judged in every state: a paused or completed rollout still rolls back, but only a running one advances. The
    calendar hinders nothing but starting and advancing.
    """
    breach = _first(findings, Consequence.ROLL_BACK)
    if breach:
        return Decision(Step.ROLL_BACK, breach.sentence, breach)
    rehearsed = _first(findings, Consequence.REPORT)
    if rehearsed:
        held = Step.HOLD if plan and rollout.state is State.RUNNING else Step.WAIT
        return Decision(held, f"would roll back, and may only report: {rehearsed.sentence}", rehearsed)
    if plan and rollout.state is State.SCHEDULED:
        return _start(rollout, now, calendar)
    if plan is None or rollout.state is not State.RUNNING:
        return Decision(Step.WAIT, "no rollout is running")
    doubt = _first(findings, Consequence.HOLD)
    if doubt:
        return Decision(Step.HOLD, doubt.sentence, doubt)
    return _by_time(plan, rollout, findings, now, calendar)


def _first(findings: Sequence[Finding], consequence: Consequence) -> Finding | None:
    return next((finding for finding in findings if finding.consequence is consequence), None)


def _start(rollout: Rollout, now: datetime, calendar: Calendar) -> Decision:
    if rollout.start_at is None or now < rollout.start_at:
        return Decision(Step.WAIT, "is not due")
    closed = calendar.closed_because(now)
    if closed:
        return Decision(Step.WAIT, closed)
    return Decision(Step.START, f"was scheduled for {rollout.start_at:%Y-%m-%d %H:%M} UTC")


def _by_time(plan: Plan, rollout: Rollout, findings: Sequence[Finding], now: datetime, calendar: Calendar) -> Decision:
    due = rollout.bakes_until(plan)
    if due is None or now < due:
        return Decision(Step.WAIT, "bakes")
    unknown = next((finding for finding in findings if finding.verdict is Verdict.INCONCLUSIVE), None)
    if unknown:
        return Decision(Step.WAIT, unknown.sentence, unknown)  # ignored silence holds nothing, and advances nothing
    is_last = on_last_stage(plan, rollout)
    closed = None if is_last else calendar.closed_because(now)
    if closed:
        return Decision(Step.WAIT, closed)
    if asks_approval(plan, rollout):
        return Decision(Step.WAIT, APPROVAL)
    if plan.asks_person(rollout.stage):
        return Decision(Step.WAIT, PERSON_CONFIRMS)
    if is_last:
        return Decision(Step.COMPLETE, f"the last stage {_has_baked(findings)}")
    return Decision(Step.ADVANCE, f"stage {rollout.stage + 1} of {plan.length} {_has_baked(findings)}")


def at_the_barrier(decision: Decision, plan: Plan, fleet: Fleet) -> Decision:
    """The last look before a stage is entered: do live processes still live in an earlier one?"""
    obstacle = fleet.obstacle
    if decision.step is not Step.ADVANCE or obstacle is None or plan.barrier is Barrier.OFF:
        return decision
    if plan.barrier is Barrier.BLOCK:
        return Decision(Step.WAIT, f"waits for every live instance: {obstacle}")
    return replace(decision, because=f"{decision.because}, although {obstacle}")


def _has_baked(findings: Sequence[Finding]) -> str:
    """Only what was judged may be called healthy."""
    breach = next((finding for finding in findings if finding.verdict is Verdict.UNHEALTHY), None)
    if breach:
        return f"has baked; its breach is only reported: {breach.sentence}"
    return "has baked and is healthy" if findings else "has baked"


def entered(rollout: Rollout, stage: int, now: datetime) -> Rollout:
    """The rollout on a stage, as entered now."""
    fresh = replace(rollout, state=State.RUNNING, stage=stage, entered_at=now, approved=False, approved_by="")
    return replace(fresh, lost_approval=rollout.lost_approval and stage <= rollout.stage)


def in_phase(rollout: Rollout, phase: Phase) -> Rollout:
    """The rollout where the data stand since it entered its stage."""
    enters = phase is Phase.COMPLETE and rollout.phase is not Phase.COMPLETE
    since = rollout.entered_at if enters else rollout.no_way_back_since
    return replace(rollout, phase=phase, no_way_back_since=since)


def caught_up(plan: Plan, rollout: Rollout, now: datetime, calendar: Calendar = ALWAYS_OPEN) -> Rollout:
    """The rollout after every stage whose bake is over by now, in one change.

    Only for plans without guardrails: a scheduler that slept must not skip the evidence of a stage. Each skipped
    stage counts as entered when the one before it was over and the calendar open.
    """
    if plan.moves_data:  # the next phase is lived in before the one after it
        return entered(rollout, rollout.stage + 1, now)
    while not on_last_stage(plan, rollout):
        due = rollout.bakes_until(plan)
        opens = calendar.opens_at(due) if due else None
        if opens is None or now < opens or asks_approval(plan, rollout):
            break
        rollout = entered(rollout, rollout.stage + 1, opens)
    return rollout


def scheduled(rollout: Rollout, start_at: datetime, by: str) -> Rollout:
    """The rollout that begins at an instant by itself."""
    fresh = replace(rollout, state=State.SCHEDULED, start_at=start_at, started_by=by, replanned_by=())
    return replace(fresh, entered_at=None, approved=False, lost_approval=False)


def completed(rollout: Rollout, now: datetime) -> Rollout:
    """The rollout after its last stage has baked. What was taken back before is made good."""
    return replace(rollout, state=State.COMPLETED, entered_at=now, rollbacks=0, lost_approval=False)


def taken_back(rollout: Rollout, now: datetime, *, automatic: bool) -> Rollout:
    """The rollout after a rollback: it cools down, and after the last allowed attempt it is locked."""
    rollbacks = rollout.rollbacks + 1 if automatic else rollout.rollbacks
    locked = automatic and rollbacks >= ATTEMPT_LIMIT
    return replace(
        rollout,
        state=State.LOCKED if locked else State.ROLLED_BACK,
        rollbacks=rollbacks,
        approved=False,
        approved_by="",
        entered_at=now,
        cool_down_until=now + COOL_DOWN,
    )
