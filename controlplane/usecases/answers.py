"""Answers: a flag and its rollout as the contract words them. Percent and ISO instants, no buckets."""

from datetime import datetime
from typing import Any

from controlplane.documents.flag import flag_document
from controlplane.domain.flag import Flag
from controlplane.domain.phase_rules import moves_data
from controlplane.domain.phases import Backlog
from controlplane.domain.rollout import State, asks_approval
from controlplane.domain.share import to_percent
from controlplane.store import Store
from controlplane.store.watches import Watch
from controlplane.usecases.backlog import backlog_of
from controlplane.usecases.changing import Place
from controlplane.usecases.phases import answer_phase
from controlplane.usecases.plan_warnings import unkept_promises, warnings
from controlplane.usecases.waiting import waiting_for


def describe_flag(store: Store, place: Place, now: datetime) -> dict[str, Any]:
    """Raises NotFound."""
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        backlog = backlog_of(uow, environment.id, flag) if moves_data(flag) else None
        answer = answer_flag(flag, uow.watches.get(environment.id, flag.key), now, backlog)
        answer["rollout"]["warnings"] += unkept_promises(uow, environment, flag, now)
    return answer


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
    return {**answer_rollout_briefly(flag, watch, now), "warnings": warnings(flag)}


def answer_rollout_briefly(flag: Flag, watch: Watch | None, now: datetime) -> dict[str, Any]:
    """Without what its plan should be warned of, which takes longer than a list of very many has."""
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


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
