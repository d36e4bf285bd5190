"""Answers: a flag, its rollout and its history as the contract words them. Percent and ISO instants, no buckets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from controlplane.documents.flag import flag_document, sides_document
from controlplane.domain.audit import Actor, AuditEntry
from controlplane.domain.findings import Consequence, Finding, foremost_of, worst
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.phases import Backlog, Phase
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import APPROVAL, Rollout, State, Step, asks_approval
from controlplane.domain.share import to_percent
from controlplane.store import Store, UnitOfWork
from controlplane.store.audit import Filter, LastChange
from controlplane.store.watches import Watch
from controlplane.usecases.backlog import backlog_of
from controlplane.usecases.changing import Place
from controlplane.usecases.guarding import CANNOT, WOULD
from controlplane.usecases.phases import answer_phase
from controlplane.usecases.plan_warnings import unkept_promises, warnings


def answer_flag(flag: Flag, watch: Watch | None, now: datetime, backlog: Backlog | None = None) -> dict[str, Any]:
    """The flag as created, plus its version, instants and rollout."""
    return {
        **flag_document(flag),
        "version": flag.version,
        "created_at": _text(flag.created_at),
        "updated_at": _text(flag.updated_at),
        "archived_at": _text(flag.archived_at),
        "rollout": answer_rollout(flag, watch, now) | answer_phase(flag, backlog),
    }


def answer_rollout(flag: Flag, watch: Watch | None, now: datetime) -> dict[str, Any]:
    return {**_rollout(flag, watch, now), "warnings": warnings(flag)}


def _rollout(flag: Flag, watch: Watch | None, now: datetime) -> dict[str, Any]:
    rollout, plan = flag.rollout, flag.plan
    return {
        "state": rollout.state.value,
        "stage": rollout.stage,
        "stages": plan.length if plan else 0,
        "percent": to_percent(flag.largest_share),
        "entered_at": _text(rollout.entered_at),
        "bakes_until": _text(rollout.bakes_until(plan)) if plan and rollout.state is State.RUNNING else None,
        "waiting_for": waiting_for(flag, watch, now),
        "asks_approval": plan is not None and rollout.is_live and asks_approval(plan, rollout),
        "approved": rollout.approved,
        "approved_by": rollout.approved_by or None,
        "start_at": _text(rollout.start_at) if rollout.state is State.SCHEDULED else None,
        "started_by": rollout.started_by or None,
        "attempt": rollout.attempt,
        "rollbacks": rollout.rollbacks,
        "cool_down_until": _text(rollout.cool_down_until) if rollout.cools_down(now) else None,
        "rolled_back": flag.rolled_back,
        "rolled_back_operations": [name for name, each in flag.operations.items() if each.rolled_back],
        "blocked_by": list(flag.blocked_by),
    }


def waiting_for(flag: Flag, watch: Watch | None, now: datetime) -> str | None:
    """What has to happen before the next step, in one sentence; None where nothing is awaited."""
    rollout, seen = flag.rollout, _current(flag, watch)
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
        return _scheduled(rollout, _current(flag, watch))
    if rollout.state is State.PAUSED:
        return "paused: somebody has to resume or abort it"
    if rollout.state is State.COMPLETED and rollout.phase is Phase.RAMP_DOWN:
        return "completed: finish it, with the flag's key to confirm, and the baseline is written no more"
    if rollout.state is State.COMPLETED:
        return "completed: finish it to drop the hold-back"
    if rollout.state is State.RUNNING and flag.plan:
        return _running(flag, flag.plan, watch, now)
    return None


def _current(flag: Flag, watch: Watch | None) -> Watch | None:
    """What the scheduler saw last, if it saw the attempt that is going on."""
    return watch if watch and watch.attempt == flag.rollout.attempt else None


def _scheduled(rollout: Rollout, seen: Watch | None) -> str:
    starts = f"starts at {_hour(rollout.start_at)}" if rollout.start_at else "has no date to start at"
    overdue = seen is not None and rollout.start_at is not None and rollout.start_at <= seen.at
    return f"{starts}: {seen.because}" if seen and overdue else starts


def _running(flag: Flag, plan: Plan, watch: Watch | None, now: datetime) -> str:
    seen = _current(flag, watch)
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


def answer_actor(actor: Actor) -> dict[str, str]:
    """`via` is there for a person who acted by a token of their own."""
    told = {"kind": actor.kind.value, "name": actor.name}
    return {**told, "via": actor.via} if actor.via else told


def describe_entry(entry: AuditEntry) -> dict[str, Any]:
    """An audit entry as the contract words it."""
    return {
        "id": entry.id,
        "at": _text(entry.at),
        "actor": answer_actor(entry.actor),
        "action": entry.action.value,
        "flag": entry.flag,
        "reason": entry.reason,
        "changes": [{"path": each.path, "from": each.before, "to": each.after} for each in entry.changes],
        "version": entry.version,
        "request_id": entry.request_id,
        "record": dict(entry.record),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def describe_flag(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        backlog = backlog_of(uow, environment.id, flag) if moves_data(flag) else None
        answer = answer_flag(flag, uow.watches.get(environment.id, flag.key), now, backlog)
        answer["rollout"]["warnings"] += unkept_promises(uow, environment, flag, now)
    return answer


def describe_flags(store: Store, environment: str, now: datetime, *, archived: bool = False) -> list[dict[str, Any]]:
    """Every flag with its health in one word and its last change."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        listed = _listing(uow, row.id, archived=archived)
        backlogs = {flag.key: backlog_of(uow, row.id, flag) for flag, *_ in listed if moves_data(flag)}
    return [
        {**answer_flag(flag, watch, now, backlogs.get(flag.key)), **_state(flag, watch, change, now)}
        for flag, watch, change in listed
    ]


def brief_flags(store: Store, environment: str, now: datetime, *, archived: bool = False) -> list[dict[str, Any]]:
    """The same for a list of very many: of each definition only what such a list shows and searches."""
    with store.reading() as uow:
        listed = _listing(uow, uow.environments.get(environment).id, archived=archived)
    return [
        {**_brief(flag), "rollout": _rollout(flag, watch, now), **_state(flag, watch, change, now)}
        for flag, watch, change in listed
    ]


def _listing(
    uow: UnitOfWork, environment_id: int, *, archived: bool
) -> list[tuple[Flag, Watch | None, LastChange | None]]:
    flags = uow.flags.all(environment_id, archived=archived)
    watches, changes = uow.watches.all(environment_id), uow.audit.newest_by_flag(environment_id)
    return [(flag, watches.get(flag.key), changes.get(flag.key)) for flag in flags]


def _brief(flag: Flag) -> dict[str, Any]:
    return {
        "key": flag.key,
        "kind": flag.kind.value,
        "description": flag.description,
        "owner": flag.owner,
        "tags": list(flag.tags),
        **sides_document(flag),
        "enabled": flag.enabled,
        "operations": {name: {"percent": to_percent(each.share)} for name, each in flag.operations.items()},
        "version": flag.version,
        "archived_at": _text(flag.archived_at),
    }


def _state(flag: Flag, watch: Watch | None, change: LastChange | None, now: datetime) -> dict[str, Any]:
    return {
        "health": health_word(flag, watch),
        "held": is_held(flag, watch, now),
        "last_change": {
            "at": _text(change.at),
            "actor": answer_actor(change.actor),
            "action": change.action.value,
            "reason": change.reason,
        }
        if change
        else None,
    }


def health_word(flag: Flag, watch: Watch | None) -> str | None:
    """The verdict on a flag that is exposed and guarded; None where nothing is judged."""
    if not flag.guardrails or not flag.exposed_operations:
        return None
    return worst(_findings(flag, watch)).value


def is_held(flag: Flag, watch: Watch | None, now: datetime) -> bool:
    """Whether a finding, or a stage that cannot be entered, keeps the flag where it is: not that it is young."""
    seen = _current(flag, watch)
    if seen and seen.step in {Step.PAUSE, Step.HOLD} and seen.because.startswith((WOULD, CANNOT)):
        return True
    return any(holds(finding, flag, now) for finding in _findings(flag, watch))


def holds(finding: Finding, flag: Flag, now: datetime) -> bool:
    """So does what is only reported. Every stage begins with too few samples: they hold it when its time is over."""
    asks = finding.consequence in {Consequence.HOLD, Consequence.REPORT}
    return asks and (finding.guardrail != "min_samples" or _has_baked(flag, now))


def _has_baked(flag: Flag, now: datetime) -> bool:
    due = flag.rollout.bakes_until(flag.plan) if flag.plan and flag.rollout.state is State.RUNNING else None
    return due is not None and due <= now


def _findings(flag: Flag, watch: Watch | None) -> Sequence[Finding]:
    current = _current(flag, watch)
    return current.findings if current else ()


def newest_changes(store: Store, place: Place, limit: int = 20) -> list[dict[str, Any]]:
    """The last audit entries of one flag."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        found = uow.audit.newest(environment.id, Filter(flag=place.flag), limit)
    return [describe_entry(entry) for entry in found]


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _hour(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
