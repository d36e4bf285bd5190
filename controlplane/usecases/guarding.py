"""Guarding: where a flag's data keep the scheduler from a step, and what it does instead. People are told."""

from dataclasses import replace

from controlplane.domain import phases
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.phases import Backlog, Phase, after_brake
from controlplane.domain.rollout import Decision, State, Step
from controlplane.store import Store
from controlplane.store.environments import Environment
from controlplane.usecases.backlog import backlog_of
from controlplane.usecases.moving import Move, obstacle_of

CANNOT = "is due, but "  # how a stage begins that cannot be entered
WOULD = "would roll back, but "  # how a rollback begins that the scheduler leaves to a person


def read_backlog(store: Store, environment: Environment, flag: Flag) -> Backlog:
    with store.reading() as uow:
        return backlog_of(uow, environment.id, flag)


def refused(store: Store, environment: Environment, move: Move) -> str | None:
    """Why the data would not bear this change."""
    with store.reading() as uow:
        return obstacle_of(uow, environment.id, move)


def guarded(store: Store, environment: Environment, flag: Flag, decision: Decision) -> Decision:
    """A rollback that would lose writes becomes a pause, or a hold where nothing moves on; else it stays."""
    if decision.step is not Step.ROLL_BACK or not moves_data(flag):
        return decision
    why = _lost(flag, read_backlog(store, environment, flag))
    if why is None:
        return decision
    breach = decision.finding
    sentence = f"{WOULD}{why}: {decision.because}"
    step = Step.PAUSE if flag.rollout.state is State.RUNNING else Step.HOLD
    doubt = Finding(breach.operation if breach else "", "way_back", Verdict.UNHEALTHY, sentence, Consequence.HOLD)
    return Decision(step, sentence, doubt)


def _lost(flag: Flag, backlog: Backlog) -> str | None:
    """What the baseline's store would not have, if everything went back there now."""
    phase = flag.rollout.phase
    if phase is Phase.COMPLETE:
        since = flag.rollout.no_way_back_since
        when = f" since {since:%Y-%m-%d %H:%M} UTC" if since else ""
        return f"{flag.baseline} misses everything that was written{when}, so a person decides"
    if phases.obstacle(phase, after_brake(phase), backlog) is None:
        return None
    return f"{phases.missing(backlog.baseline)} in the store of {flag.baseline}, so a person decides"


def paused(flag: Flag) -> Flag:
    return replace(flag, rollout=replace(flag.rollout, state=State.PAUSED))
