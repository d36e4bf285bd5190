"""Waiting: what has to happen before the next step, in one sentence, for a flag and for one of its operations."""

from collections.abc import Sequence
from datetime import datetime

from controlplane.domain.findings import Consequence, Finding, foremost_of
from controlplane.domain.flag import Flag
from controlplane.domain.phases import Phase
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import APPROVAL, Rollout, State, Step, asks_approval
from controlplane.store.watches import Watch
from controlplane.usecases.condition import current
from controlplane.usecases.guarding import WOULD


def waiting_for(flag: Flag, watch: Watch | None, now: datetime) -> str | None:
    """What has to happen before the next step, in one sentence; None where nothing is awaited."""
    rollout, seen = flag.rollout, current(flag, watch)
    if rollout.cools_down(now) and rollout.cool_down_until:
        return f"cools down until {_hour(rollout.cool_down_until)}, or until somebody unlocks it"
    if rollout.state is State.LOCKED:
        return f"locked after {rollout.rollbacks} rollbacks: somebody has to unlock it"
    if seen and seen.step in {Step.PAUSE, Step.HOLD} and seen.because.startswith(WOULD):
        return f"holds: {seen.because}"
    return _in_state(flag, watch, now)


def _in_state(flag: Flag, watch: Watch | None, now: datetime) -> str | None:
    rollout = flag.rollout
    if rollout.state is State.SCHEDULED:
        return _scheduled(rollout, current(flag, watch))
    if rollout.state is State.PAUSED:
        return "paused: somebody has to resume or abort it"
    if rollout.state is State.COMPLETED and rollout.phase is Phase.RAMP_DOWN:
        return "completed: finish it, with the flag's key to confirm, and the baseline is written no more"
    if rollout.state is State.COMPLETED:
        return "completed: finish it to drop the hold-back"
    if rollout.state is State.RUNNING and flag.plan:
        return _running(flag, flag.plan, watch, now)
    return None


def _scheduled(rollout: Rollout, seen: Watch | None) -> str:
    starts = f"starts at {_hour(rollout.start_at)}" if rollout.start_at else "has no date to start at"
    overdue = seen is not None and rollout.start_at is not None and rollout.start_at <= seen.at
    return f"{starts}: {seen.because}" if seen and overdue else starts


def _running(flag: Flag, plan: Plan, watch: Watch | None, now: datetime) -> str:
    seen = current(flag, watch)
    if seen and seen.step is Step.HOLD:
        return f"holds: {seen.because}"
    due = flag.rollout.bakes_until(plan)
    if due and now < due:
        return f"bakes until {_hour(due)}"
    if seen and seen.step is Step.WAIT and due and due <= seen.at:
        return _approval(flag.rollout) if seen.because == APPROVAL else f"has baked: {seen.because}"
    if asks_approval(plan, flag.rollout):
        return _approval(flag.rollout)
    return "has baked: moves on at the next tick"


def _approval(rollout: Rollout) -> str:
    if rollout.lost_approval:
        return "has baked: a second person has to approve leaving this stage, as its plan lost an approval on the way"
    return "has baked: somebody has to approve leaving this stage"


def operation_waits_for(flag: Flag, name: str, findings: Sequence[Finding]) -> str:
    """What has to come or go before this operation lets its flag move on, in one sentence."""
    if flag.rolled_back or flag.operations[name].rolled_back:
        return f"rolled back: {goes_to(flag)}"
    if name not in flag.exposed_operations:
        return goes_to(flag)
    if flag.guardrails_of(name) is None:
        return "is not judged: there are no guardrails"
    if not findings:
        return "waits for the first look at what services report"
    foremost = foremost_of(findings)
    sentence = foremost.sentence.removeprefix(f"{name}: ") if foremost else f"nothing speaks against {flag.candidate}"
    held = foremost is not None and foremost.consequence in {Consequence.HOLD, Consequence.REPORT}
    return f"holds: {sentence}" if held else sentence


def goes_to(flag: Flag) -> str:
    return f"everybody gets {flag.baseline}" if flag.feature else f"every call goes to {flag.baseline}"


def _hour(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
