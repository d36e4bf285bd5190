"""Stepping: a step that was decided on is taken, or told, and what it was decided on is written down with it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.documents.decision_record import record_document
from controlplane.domain import rollout as rollouts
from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.convergence import Barrier
from controlplane.domain.errors import StaleVersion
from controlplane.domain.findings import Consequence
from controlplane.domain.flag import Flag, on_stage
from controlplane.domain.guardrails import Scope
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Decision, Rollout, Step
from controlplane.domain.routing import Mode
from controlplane.domain.share import to_percent
from controlplane.usecases.changing import Cause, Order, change_within, write_note
from controlplane.usecases.guarding import paused
from controlplane.usecases.judging import Look, grounds_of
from controlplane.usecases.remembering import save_look
from controlplane.usecases.rollouts import started, taken_back
from controlplane.usecases.rounds import Round


def act(round_: Round, flag: Flag, decision: Decision, look: Look) -> Step:
    """The change and the watch in one transaction, fenced by the lease; somebody faster wins."""
    now = look.watch.at
    cause = Cause(SCHEDULER, now, _reason(round_, flag, decision, now), expected=flag.version)
    with round_.store.writing() as uow:
        uow.leases.check(round_.lease)
        locked = uow.environments.get(round_.environment.name, lock=True)
        try:
            change_within(uow, locked, flag.key, cause, _order(round_, flag, decision, look))
        except StaleVersion:
            return Step.WAIT  # a person changed the flag since it was read: the next tick looks again
        save_look(uow, locked.id, look)
        uow.commit()
    return decision.step


def tell(round_: Round, flag: Flag, decision: Decision, look: Look) -> None:
    """What is told without a change to the flag: an audit entry, for people and for webhooks."""
    cause = Cause(SCHEDULER, look.watch.at, decision.because)
    with round_.store.writing() as uow:
        uow.leases.check(round_.lease)
        locked = uow.environments.get(round_.environment.name, lock=True)
        write_note(uow, locked, cause, _note(round_, flag, decision, look), flag)
        save_look(uow, locked.id, look)
        uow.commit()


def _note(round_: Round, flag: Flag, decision: Decision, look: Look) -> Order:
    """A hold that begins or a rollback only reported, with what it was decided on; or that somebody is asked."""
    if decision.asks_somebody:
        return Order(Action.ROLLOUT_ASK, _as_it_is)
    would = decision.finding is not None and decision.finding.consequence is Consequence.REPORT
    action = Action.ROLLOUT_WOULD_ROLL_BACK if would else Action.ROLLOUT_HOLD
    return Order(action, _as_it_is, record=_record(round_, flag, decision, look))


def _as_it_is(flag: Flag) -> Flag:
    return flag


def _record(round_: Round, flag: Flag, decision: Decision, look: Look) -> Mapping[str, Any]:
    return record_document(grounds_of(flag, decision, look, round_.clockwork))


def _order(round_: Round, flag: Flag, decision: Decision, look: Look) -> Order:
    record, now = _record(round_, flag, decision, look), look.watch.at
    cause = Cause(SCHEDULER, now)
    if decision.step is Step.ROLL_BACK:
        return Order(
            Action.ROLLOUT_ROLL_BACK,
            lambda seen: taken_back(seen, cause, _scope(flag, decision), automatic=True),
            record=record,
        )
    if decision.step is Step.PAUSE:
        return Order(Action.ROLLOUT_PAUSE, paused, record=record)
    if decision.step is Step.START:
        return Order(Action.ROLLOUT_START, lambda seen: started(seen, cause), record=record)
    if decision.step is Step.COMPLETE:
        over = rollouts.completed(flag.rollout, now)
        return Order(Action.ROLLOUT_COMPLETE, lambda seen: replace(seen, rollout=over), record=record)
    return Order(Action.ROLLOUT_ADVANCE, lambda seen: advanced(round_, seen, now), record=record)


def _scope(flag: Flag, decision: Decision) -> str | None:
    """The operation to take back, or None for the whole flag."""
    finding = decision.finding
    if finding is None or flag.guardrails is None:
        return None
    limits = flag.guardrails_of(finding.operation)
    alone = flag.exposed_operations == (finding.operation,)
    return finding.operation if limits and limits.rollback_scope is Scope.OPERATION and not alone else None


def advanced(round_: Round, flag: Flag, now: datetime) -> Flag:
    if flag.plan is None:
        return flag
    return on_stage(flag, flag.plan, _next(round_, flag, flag.plan, now))


def _next(round_: Round, flag: Flag, plan: Plan, now: datetime) -> Rollout:
    """One stage further; without guardrails, and a barrier, as many as the time that passed, in one change."""
    if flag.guardrails is None and plan.barrier is not Barrier.BLOCK:
        return rollouts.caught_up(plan, flag.rollout, now, round_.calendar(flag))
    return rollouts.entered(flag.rollout, flag.rollout.stage + 1, now)


def _reason(round_: Round, flag: Flag, decision: Decision, now: datetime) -> str:
    if decision.step is not Step.ADVANCE or flag.plan is None:
        return decision.because
    after = _next(round_, flag, flag.plan, now)
    return f"{_named(flag.plan, flag.rollout.stage)} → {_named(flag.plan, after.stage)}: {decision.because}"


def _named(plan: Plan, number: int) -> str:
    """The percent of a stage, and its phase, or its mode where it is another than single: "0 % (shadow)"."""
    stage = plan.stage(number)
    if stage.phase:
        return f"{stage.phase.words} ({to_percent(stage.share)} %)"
    mode = f" ({stage.mode.value.replace('_', ' ')})" if stage.mode and stage.mode is not Mode.SINGLE else ""
    return f"{to_percent(stage.share)} %{mode}"
