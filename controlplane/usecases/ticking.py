"""Ticking: one look at every flag that is exposed or rolled out, and at most one step for each.

The database is the truth: a tick that was missed, or died halfway, only delays.
"""

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from controlplane.clock import Clock
from controlplane.domain.audit import SCHEDULER
from controlplane.domain.convergence import Barrier, Fleet
from controlplane.domain.errors import InvalidInput, LeaseLost, Refused
from controlplane.domain.flag import Flag
from controlplane.domain.flag_rules import check
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.rollout import Decision, Step, at_the_barrier, next_step
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases.appointments import keep_appointments
from controlplane.usecases.changing import Cause
from controlplane.usecases.guarding import CANNOT, guarded, refused
from controlplane.usecases.hearing import told_of
from controlplane.usecases.instances import fleet_of_flag
from controlplane.usecases.judging import Look, look_at
from controlplane.usecases.moving import Move
from controlplane.usecases.remembering import is_news, save_look, telling
from controlplane.usecases.rollouts import started
from controlplane.usecases.rounds import AT_ONCE, Round, rounds, surveyed
from controlplane.usecases.stepping import act, advanced, tell
from controlplane.usecases.surveying import Survey
from controlplane.usecases.telemetry import fold

COLLECT_EVERY = 100_000  # new objects
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did: journal rows folded, flags judged, steps taken, flags that could not be judged."""

    folded: int
    judged: int
    steps: tuple[tuple[str, str, Step], ...]
    failures: int


def tick(store: Store, clock: Clock, clockwork: Clockwork, lease: Lease) -> TickReport:
    """Fold, judge, decide, change. Raises LeaseLost; one flag's failure does not stop the others."""
    with _collecting_seldom():
        folded = fold(store, lease)
        reports = [_go_round(each, clock) for each in rounds(store, clock, clockwork, lease)]
    return TickReport(
        folded=folded,
        judged=sum(report.judged for report in reports),
        steps=tuple(step for report in reports for step in report.steps),
        failures=sum(report.failures for report in reports),
    )


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """A tick makes objects by the hundred thousand and hardly a cycle among them: looking for cycles every 700 would be
    a quarter of its time. Never to look would let a tick that has much to catch up with grow without bounds.
    """
    usual = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _go_round(round_: Round, clock: Clock) -> TickReport:
    steps: list[tuple[str, str, Step]] = []
    quiet: list[Look] = []
    judged = failures = 0
    keep_appointments(round_.store, round_.environment, round_.lease, clock())
    for flag, seen in surveyed(round_, clock):
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


def _attend(round_: Round, flag: Flag, now: datetime, seen: Survey, quiet: list[Look]) -> Step:
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
        return act(round_, flag, decision, look)
    if word := telling(decision, watch, flag.rollout):
        look = replace(look, watch=replace(watch, told=(*watch.told, word)))
        tell(round_, flag, decision, look)
    elif is_news(seen.found.get(flag.key), look):
        quiet.append(look)
    return decision.step


def _fleet(round_: Round, flag: Flag, now: datetime) -> Fleet:
    with round_.store.reading() as uow:
        return fleet_of_flag(uow, uow.environments.get(round_.environment.name), flag, now)


def _enterable(round_: Round, flag: Flag, decision: Decision, now: datetime) -> Decision:
    """A stage that cannot be entered holds the one before, and says why: a person has to look at it."""
    try:
        is_start = decision.step is Step.START
        after = started(flag, Cause(SCHEDULER, now)) if is_start else advanced(round_, flag, now)
        check(after)
    except (Refused, InvalidInput) as error:
        return Decision(Step.HOLD, f"{CANNOT}{error}")
    why = refused(round_.store, round_.environment, Move(flag, after, now)) if moves_data(flag) else None
    return Decision(Step.HOLD, f"{CANNOT}{why}") if why else decision


def _remember(round_: Round, looks: Sequence[Look]) -> None:
    """What was seen of flags that stay as they are, in one transaction."""
    if not looks:
        return
    with round_.store.writing() as uow:
        uow.leases.check(round_.lease)
        save_look(uow, round_.environment.id, *looks)
        uow.commit()
