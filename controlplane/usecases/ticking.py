"""Ticking: one look at every flag that is exposed or rolled out, and at most one step for each.

The database is the truth: a tick that was missed, or died halfway, only delays.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from controlplane.clock import Clock
from controlplane.documents.decision_record import record_document
from controlplane.domain import rollout as rollouts
from controlplane.domain.audit import SCHEDULER, Action
from controlplane.domain.calendar import ALWAYS_OPEN, Calendar, Freeze
from controlplane.domain.convergence import Barrier, Fleet
from controlplane.domain.errors import InvalidInput, LeaseLost, Refused, StaleVersion
from controlplane.domain.findings import Consequence
from controlplane.domain.flag import Flag, on_stage
from controlplane.domain.flag_rules import check
from controlplane.domain.guardrails import Scope
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Decision, Rollout, State, Step, at_the_barrier, next_step
from controlplane.domain.routing import Mode
from controlplane.domain.share import to_percent
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.environments import Environment
from controlplane.store.lease import Lease
from controlplane.usecases.appointments import keep_appointments
from controlplane.usecases.changing import Cause, Order, change_within, write_note
from controlplane.usecases.guarding import CANNOT, guarded, paused, refused
from controlplane.usecases.hearing import Heard, hear, told_of
from controlplane.usecases.instances import fleet_of_flag
from controlplane.usecases.judging import Look, grounds_of, look_at, sealed_until
from controlplane.usecases.moving import Move
from controlplane.usecases.remembering import is_news, save_look, telling
from controlplane.usecases.retention import CLOSED_AFTER
from controlplane.usecases.rollouts import started, taken_back
from controlplane.usecases.surveying import Survey, survey
from controlplane.usecases.telemetry import fold

AT_ONCE = 50  # flags that are read, and kept, at once

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did: journal rows folded, flags judged, steps taken, flags that could not be judged."""

    folded: int
    judged: int
    steps: tuple[tuple[str, str, Step], ...]
    failures: int


@dataclass(frozen=True, slots=True)
class _Round:
    """One environment, once through."""

    store: Store
    environment: Environment
    clockwork: Clockwork
    lease: Lease
    freezes: tuple[Freeze, ...] = ()
    heard: Heard = Heard()

    def calendar(self, flag: Flag) -> Calendar:
        """When the rollout of a flag may move on."""
        windows = flag.plan.windows if flag.plan else ()
        return Calendar(windows, self.freezes) if windows or self.freezes else ALWAYS_OPEN


def tick(store: Store, clock: Clock, clockwork: Clockwork, lease: Lease) -> TickReport:
    """Fold, judge, decide, change. Raises LeaseLost; one flag's failure does not stop the others."""
    folded = fold(store, lease)
    reports = [_go_round(each, clock) for each in _rounds(store, clock, clockwork, lease)]
    return TickReport(
        folded=folded,
        judged=sum(report.judged for report in reports),
        steps=tuple(step for report in reports for step in report.steps),
        failures=sum(report.failures for report in reports),
    )


def _go_round(round_: _Round, clock: Clock) -> TickReport:
    steps: list[tuple[str, str, Step]] = []
    quiet: list[Look] = []
    judged = failures = 0
    keep_appointments(round_.store, round_.environment, round_.lease, clock())
    for flag, seen in _surveyed(round_, clock):
        judged += 1
        try:
            step = _attend(round_, flag, clock(), seen, quiet)
        except LeaseLost:
            raise
        except Exception:  # noqa: BLE001 - the tick must go on: one flag's trouble says nothing about the next
            _log.exception("flag %r of %r could not be judged", flag.key, round_.environment.name)
            failures += 1
            continue
        if step not in {Step.WAIT, Step.HOLD}:
            steps.append((round_.environment.name, flag.key, step))
        if len(quiet) >= AT_ONCE:
            _remember(round_, quiet)
            quiet.clear()
    _remember(round_, quiet)
    return TickReport(0, judged, tuple(steps), failures)


def _rounds(store: Store, clock: Clock, clockwork: Clockwork, lease: Lease) -> list[_Round]:
    with store.reading() as uow:
        return [
            _Round(store, each, clockwork, lease, uow.freezes.all(each.id), hear(uow, each.id, clock()))
            for each in uow.environments.all()
        ]


def _watched(round_: _Round) -> list[Flag]:
    with round_.store.reading() as uow:
        flags = uow.flags.all(round_.environment.id)
    return [flag for flag in flags if _is_watched(flag)]


def _surveyed(round_: _Round, clock: Clock) -> Iterator[tuple[Flag, Survey]]:
    """Some flags are read at once, so that neither the queries are many nor the memory is large."""
    flags = _watched(round_)
    for first in range(0, len(flags), AT_ONCE):
        some = flags[first : first + AT_ONCE]
        now = clock()
        unpacked_from = int(now.timestamp()) - CLOSED_AFTER
        seen = survey(round_.store, round_.environment.id, some, sealed_until(now, round_.clockwork), unpacked_from)
        yield from ((flag, seen) for flag in some)


def _is_watched(flag: Flag) -> bool:
    under_way = flag.rollout.is_live or flag.rollout.state is State.SCHEDULED
    return under_way or bool(flag.guardrails and flag.exposed_operations)


def _attend(round_: _Round, flag: Flag, now: datetime, seen: Survey, quiet: list[Look]) -> Step:
    """One flag: look, decide, and change it if a change is due; news without a change goes to `quiet`."""
    look = look_at(seen, round_.environment, flag, now, round_.clockwork)
    look = replace(look, findings=(*look.findings, *told_of(round_.heard, flag, look.watch, now)))
    decision = next_step(flag.plan, flag.rollout, look.findings, now, round_.calendar(flag))
    decision = guarded(round_.store, round_.environment, flag, decision)
    if decision.step in {Step.START, Step.ADVANCE}:
        decision = _enterable(round_, flag, decision, now)
    if decision.step is Step.ADVANCE and flag.plan and flag.plan.barrier is not Barrier.OFF:
        decision = at_the_barrier(decision, flag.plan, _fleet(round_, flag, now))
    watch = replace(look.watch, step=decision.step, because=decision.because, at=now)
    look = replace(look, watch=watch)
    if decision.step not in {Step.WAIT, Step.HOLD}:
        return _act(round_, flag, decision, look)
    if word := telling(decision, watch, flag.rollout):
        look = replace(look, watch=replace(watch, told=(*watch.told, word)))
        _tell(round_, flag, decision, look)
    elif is_news(seen.found.get(flag.key), look):
        quiet.append(look)
    return decision.step


def _fleet(round_: _Round, flag: Flag, now: datetime) -> Fleet:
    with round_.store.reading() as uow:
        return fleet_of_flag(uow, uow.environments.get(round_.environment.name), flag, now)


def _enterable(round_: _Round, flag: Flag, decision: Decision, now: datetime) -> Decision:
    """A stage that cannot be entered holds the one before, and says why: a person has to look at it."""
    try:
        is_start = decision.step is Step.START
        after = started(flag, Cause(SCHEDULER, now)) if is_start else _advanced(round_, flag, now)
        check(after)
    except (Refused, InvalidInput) as error:
        return Decision(Step.HOLD, f"{CANNOT}{error}")
    why = refused(round_.store, round_.environment, Move(flag, after, now)) if moves_data(flag) else None
    return Decision(Step.HOLD, f"{CANNOT}{why}") if why else decision


def _act(round_: _Round, flag: Flag, decision: Decision, look: Look) -> Step:
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


def _tell(round_: _Round, flag: Flag, decision: Decision, look: Look) -> None:
    """What is told without a change to the flag: an audit entry, for people and for webhooks."""
    cause = Cause(SCHEDULER, look.watch.at, decision.because)
    with round_.store.writing() as uow:
        uow.leases.check(round_.lease)
        locked = uow.environments.get(round_.environment.name, lock=True)
        write_note(uow, locked, cause, _note(round_, flag, decision, look), flag)
        save_look(uow, locked.id, look)
        uow.commit()


def _note(round_: _Round, flag: Flag, decision: Decision, look: Look) -> Order:
    """A hold that begins or a rollback only reported, with what it was decided on; or that somebody is asked."""
    if decision.asks_somebody:
        return Order(Action.ROLLOUT_ASK, _as_it_is)
    would = decision.finding is not None and decision.finding.consequence is Consequence.REPORT
    action = Action.ROLLOUT_WOULD_ROLL_BACK if would else Action.ROLLOUT_HOLD
    return Order(action, _as_it_is, record=_record(round_, flag, decision, look))


def _as_it_is(flag: Flag) -> Flag:
    return flag


def _record(round_: _Round, flag: Flag, decision: Decision, look: Look) -> Mapping[str, Any]:
    return record_document(grounds_of(flag, decision, look, round_.clockwork))


def _order(round_: _Round, flag: Flag, decision: Decision, look: Look) -> Order:
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
    return Order(Action.ROLLOUT_ADVANCE, lambda seen: _advanced(round_, seen, now), record=record)


def _scope(flag: Flag, decision: Decision) -> str | None:
    """The operation to take back, or None for the whole flag."""
    finding = decision.finding
    if finding is None or flag.guardrails is None:
        return None
    limits = flag.guardrails_of(finding.operation)
    alone = flag.exposed_operations == (finding.operation,)
    return finding.operation if limits and limits.rollback_scope is Scope.OPERATION and not alone else None


def _advanced(round_: _Round, flag: Flag, now: datetime) -> Flag:
    if flag.plan is None:
        return flag
    return on_stage(flag, flag.plan, _next(round_, flag, flag.plan, now))


def _next(round_: _Round, flag: Flag, plan: Plan, now: datetime) -> Rollout:
    """One stage further; without guardrails, and a barrier, as many as the time that passed, in one change."""
    if flag.guardrails is None and plan.barrier is not Barrier.BLOCK:
        return rollouts.caught_up(plan, flag.rollout, now, round_.calendar(flag))
    return rollouts.entered(flag.rollout, flag.rollout.stage + 1, now)


def _reason(round_: _Round, flag: Flag, decision: Decision, now: datetime) -> str:
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


def _remember(round_: _Round, looks: Sequence[Look]) -> None:
    """What was seen of flags that stay as they are, in one transaction."""
    if not looks:
        return
    with round_.store.writing() as uow:
        uow.leases.check(round_.lease)
        save_look(uow, round_.environment.id, *looks)
        uow.commit()
