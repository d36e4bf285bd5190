"""What people do with rollouts: start, pause, resume, advance, step back, approve, abort, roll back, unlock."""

from dataclasses import replace
from datetime import datetime

from controlplane.domain import rollout as rollouts
from controlplane.domain.audit import Action
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, Refused
from controlplane.domain.flag import Flag, in_order, on_stage, with_shares, without_copies, without_rollback
from controlplane.domain.phases import after_brake
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import State, asks_approval, on_last_stage, stage_of
from controlplane.domain.second_person import objection
from controlplane.store import Store
from controlplane.usecases.changing import Cause, Order, Place, Transform, change_flag
from controlplane.usecases.instances import barrier

# A person's verbs that nothing may stand in the way of: no version, no reason.
BRAKES = frozenset({"pause", "step-back", "abort", "rollback"})


def start(store: Store, place: Place, cause: Cause, at: datetime | None = None) -> Flag:
    """Begin a new attempt at the first stage: now, or at `at`, which is by default when the plan says.

    Refused while one runs, cools down or is locked.
    """

    def started_or_scheduled(flag: Flag) -> Flag:
        due = at or plan_of(flag).start_at
        if due is None or due <= cause.at:
            return started(flag, cause)
        _refuse_early_start(flag, cause)
        return replace(flag, rollout=rollouts.scheduled(flag.rollout, due, cause.actor.name))

    return _do(store, place, cause, Action.ROLLOUT_START, started_or_scheduled)


def started(flag: Flag, cause: Cause) -> Flag:
    """The flag on the first stage of a new attempt; used by people and by the scheduler alike."""
    plan = plan_of(flag)
    if not flag.enabled:
        message = f"flag '{flag.key}' is disabled: enable it before starting a rollout"
        raise Refused(message)
    _refuse_early_start(flag, cause)
    refuse_while_open(flag, "start")
    before = flag.rollout
    was_due = before.state is State.SCHEDULED
    by = before.started_by if was_due else cause.actor.name
    fresh = replace(before, attempt=before.attempt + 1, cool_down_until=None, start_at=None, started_by=by)
    if not was_due:
        fresh = replace(fresh, replanned_by=(), lost_approval=False)
    return on_stage(without_rollback(flag), plan, rollouts.entered(fresh, 0, cause.at))


def refuse_while_open(flag: Flag, verb: str) -> None:
    """While its checklist asks for something that nobody has done."""
    if flag.blocked_by:
        message = f"cannot {verb} '{flag.key}': its checklist asks for: {'; '.join(flag.blocked_by)}"
        raise Refused(message)


def _refuse_early_start(flag: Flag, cause: Cause) -> None:
    rollout = flag.rollout
    if rollout.is_live:
        message = f"a rollout of '{flag.key}' is {rollout.state} already"
    elif rollout.state is State.LOCKED:
        message = f"'{flag.key}' was rolled back {rollout.rollbacks} times and is locked: unlock it first"
    elif rollout.cools_down(cause.at) and rollout.cool_down_until:
        message = f"'{flag.key}' cools down until {rollout.cool_down_until:%Y-%m-%d %H:%M} UTC: wait, or unlock it"
    else:
        return
    raise Refused(message)


def pause(store: Store, place: Place, cause: Cause) -> Flag:
    """Stop advancing; shares stay, and judging goes on. A brake: never asks for a version."""

    def paused(flag: Flag) -> Flag:
        if flag.rollout.state is State.PAUSED:
            return flag
        require(flag, "pause", State.RUNNING)
        return replace(flag, rollout=replace(flag.rollout, state=State.PAUSED))

    return _do(store, place, cause, Action.ROLLOUT_PAUSE, paused, brake=True)


def resume(store: Store, place: Place, cause: Cause) -> Flag:
    """Go on: the stage's percent is applied again, and its bake starts anew."""

    def resumed(flag: Flag) -> Flag:
        require(flag, "resume", State.PAUSED)
        plan = plan_of(flag)
        stage = min(flag.rollout.stage, plan.length - 1)
        return on_stage(flag, plan, rollouts.entered(flag.rollout, stage, cause.at))

    return _do(store, place, cause, Action.ROLLOUT_RESUME, resumed)


def advance(store: Store, place: Place, cause: Cause, confirm: str = "") -> Flag:
    """To the next stage without waiting; from the last one to completed. A barrier that blocks stops people, too.

    `confirm`: the flag's key, where the next stage is behind the point of no return.
    """

    def advanced(flag: Flag) -> Flag:
        require(flag, "advance", State.RUNNING)
        refuse_while_open(flag, "advance")
        plan = plan_of(flag)
        refuse_own_approval(flag, plan, cause)
        if plan.asks_person(flag.rollout.stage):
            want_confirmation(flag, confirm)
        if on_last_stage(plan, flag.rollout):
            return replace(flag, rollout=rollouts.completed(flag.rollout, cause.at))
        return on_stage(flag, plan, rollouts.entered(flag.rollout, flag.rollout.stage + 1, cause.at))

    order = Order(Action.ROLLOUT_ADVANCE, advanced, gate=barrier(cause.at), confirmed=confirm == place.flag)
    return change_flag(store, place, cause, order)


def want_confirmation(flag: Flag, confirm: str) -> None:
    """The flag's key, where no way leads back. Raises InvalidInput."""
    if confirm == flag.key:
        return
    message = (
        f"must be '{flag.key}': from complete on nothing is written to {flag.baseline} any more, and no rollback "
        "brings back there what was written since"
    )
    raise InvalidInput((FieldError("confirm", message),))


def step_back(store: Store, place: Place, cause: Cause) -> Flag:
    """One stage back, which bakes anew: the gradual rollback. A paused rollout stays paused. A brake."""

    def stepped_back(flag: Flag) -> Flag:
        require(flag, "go a stage back", State.RUNNING, State.PAUSED)
        if flag.rollout.stage == 0:
            message = f"'{flag.key}' is at its first stage: roll back or abort instead"
            raise Refused(message)
        plan = plan_of(flag)
        before = min(flag.rollout.stage, plan.length - 1) - 1
        back = replace(rollouts.entered(flag.rollout, before, cause.at), state=flag.rollout.state)
        return on_stage(flag, plan, back)

    return _do(store, place, cause, Action.ROLLOUT_STEP_BACK, stepped_back, brake=True)


def approve(store: Store, place: Place, cause: Cause) -> Flag:
    """Let the stage be left when its bake is over. Refused where no approval is asked for."""

    def approved(flag: Flag) -> Flag:
        require(flag, "approve", State.RUNNING, State.PAUSED)
        if not (stage_of(plan_of(flag), flag.rollout).approval or flag.rollout.lost_approval):
            message = f"stage {flag.rollout.stage + 1} of '{flag.key}' does not wait for approval"
            raise Refused(message)
        refuse_own_approval(flag, plan_of(flag), cause)
        return replace(flag, rollout=replace(flag.rollout, approved=True, approved_by=cause.actor.name))

    return _do(store, place, cause, Action.ROLLOUT_APPROVE, approved)


def refuse_own_approval(flag: Flag, plan: Plan, cause: Cause) -> None:
    """Whoever advances or finishes by hand approves as well, so that is no way round the second person either."""
    told = objection(flag, cause.actor.name) if asks_approval(plan, flag.rollout) else None
    if told:
        raise Refused(told)


def abort(store: Store, place: Place, cause: Cause) -> Flag:
    """Give up the rollout: its operations go back to 0 %. No cool-down: it was a person's choice. A brake."""
    return _do(store, place, cause, Action.ROLLOUT_ABORT, lambda flag: aborted(flag, cause), brake=True)


def aborted(flag: Flag, cause: Cause) -> Flag:
    """The flag without its rollout. One that was only scheduled has moved nothing that would have to go back."""
    if flag.rollout.state is State.ABORTED:
        return flag
    require(flag, "abort", State.SCHEDULED, State.RUNNING, State.PAUSED, State.COMPLETED)
    over = replace(flag.rollout, state=State.ABORTED, entered_at=cause.at, approved=False, start_at=None)
    if flag.rollout.state is State.SCHEDULED:
        return replace(flag, rollout=over)
    over = replace(over, phase=after_brake(over.phase))
    zero = with_shares(without_copies(flag, flag.planned_operations), 0, flag.planned_operations)
    return replace(in_order(zero), rollout=over)


def roll_back(store: Store, place: Place, cause: Cause, operation: str | None = None) -> Flag:
    """Send every call of the flag, or of one operation, to the baseline at once. A brake; works in every state."""
    order = Order(
        Action.ROLLOUT_ROLL_BACK, lambda flag: taken_back(flag, cause, operation, automatic=False), brake=True
    )
    return change_flag(store, place, cause, order)


def taken_back(flag: Flag, cause: Cause, operation: str | None, *, automatic: bool) -> Flag:
    """The flag after a rollback; used by people and by the scheduler alike."""
    if operation is None:
        zero = with_shares(without_copies(flag, tuple(flag.operations)), 0, tuple(flag.operations))
        over = flag.rollout
        if not flag.rolled_back:
            over = rollouts.taken_back(flag.rollout, cause.at, automatic=automatic)
        return replace(zero, rolled_back=True, rollout=replace(over, phase=after_brake(over.phase)))
    if operation not in flag.operations:
        message = f"flag '{flag.key}' has no operation '{operation}'"
        raise NotFound(message)
    flag = without_copies(flag, (operation,))
    one = replace(flag.operations[operation], share=0, rolled_back=True)
    return in_order(replace(flag, operations={**flag.operations, operation: one}))


def unlock(store: Store, place: Place, cause: Cause) -> Flag:
    """Clear every rolled-back mark, the cool-down and the count of rollbacks. Shares stay at 0.

    Refused while a rollout runs: its next stage would send an operation that was taken back there in one leap.
    """

    def unlocked(flag: Flag) -> Flag:
        over = flag.rollout
        if over.state is State.RUNNING:
            raise Refused(f"a rollout of '{flag.key}' is running: pause or abort it before unlocking")
        if over.state in {State.ROLLED_BACK, State.LOCKED}:
            over = replace(over, state=State.IDLE, rollbacks=0, cool_down_until=None, entered_at=cause.at)
        return replace(without_rollback(flag), rollout=over)

    return _do(store, place, cause, Action.ROLLOUT_UNLOCK, unlocked)


def _do(store: Store, place: Place, cause: Cause, action: Action, transform: Transform, *, brake: bool = False) -> Flag:
    return change_flag(store, place, cause, Order(action, transform, brake=brake))


def plan_of(flag: Flag) -> Plan:
    """The plan, of a flag that can be rolled out. Raises Refused."""
    if flag.plan is None:
        message = f"flag '{flag.key}' has no rollout plan: set one first"
        raise Refused(message)
    if not flag.planned_operations:
        message = f"flag '{flag.key}' has no operation to roll out: add one first"
        raise Refused(message)
    return flag.plan


def require(flag: Flag, verb: str, *states: State) -> None:
    """Raises Refused in every other state."""
    if flag.rollout.state not in states:
        wanted = " or ".join(states)
        message = f"cannot {verb}: the rollout of '{flag.key}' is {flag.rollout.state}, not {wanted}"
        raise Refused(message)
