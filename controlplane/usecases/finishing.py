"""Finishing: the hold-back goes, once nothing that somebody asked for stands against it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from controlplane.domain import checklist
from controlplane.domain.audit import Action
from controlplane.domain.criteria import Criterion, unmet
from controlplane.domain.errors import FieldError, InvalidInput, Refused
from controlplane.domain.flag import Flag, in_the_end, with_shares
from controlplane.domain.phases import Phase
from controlplane.domain.rollout import State, on_last_stage
from controlplane.domain.share import FULL
from controlplane.store import Store
from controlplane.usecases.changing import Cause, Order, Place, change_flag
from controlplane.usecases.criteria import judge_criteria
from controlplane.usecases.instances import barrier
from controlplane.usecases.rollouts import plan_of, refuse_own_approval, refuse_while_open, require, want_confirmation


def finish(store: Store, place: Place, cause: Cause, *, confirm: str = "", despite_criteria: bool = False) -> Flag:
    """Drop the hold-back: everything goes to the candidate. Nothing is left to compare with from then on.

    Where data move, the baseline is no longer written either: `confirm` has to be the flag's key. Where the checklist
    asks for it, every success criterion has to have passed. Whoever finishes despite one that has not says why; the
    audit entry keeps how each of them stood.
    """
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        asked = uow.checklists.get(environment.id, flag.key, checklist.Phase.BEFORE).criteria_required
    finished(flag, cause, confirm)  # what refuses it anyway is told first
    judged = judge_criteria(store, place, cause.at) if asked else []
    if unmet(judged):
        _insist(flag, judged, cause, despite=despite_criteria)
    order = Order(
        Action.ROLLOUT_FINISH,
        lambda seen: finished(seen, cause, confirm),
        record=_record(judged),
        gate=barrier(cause.at),
        confirmed=confirm == place.flag,
    )
    return change_flag(store, place, cause, order)


def finished(flag: Flag, cause: Cause, confirm: str) -> Flag:
    """The flag at its end. Refused before the last stage, and where an approval is missing."""
    require(flag, "finish", State.COMPLETED, State.RUNNING)
    refuse_while_open(flag, "finish")
    plan = plan_of(flag)
    if flag.rollout.state is State.RUNNING and not on_last_stage(plan, flag.rollout):
        message = f"'{flag.key}' is at stage {flag.rollout.stage + 1} of {plan.length}: finish from the last one"
        raise Refused(message)
    if flag.rollout.state is State.RUNNING:
        refuse_own_approval(flag, plan, cause)
    over = replace(flag.rollout, state=State.FINISHED, entered_at=cause.at)
    if plan.moves_data:
        return _completed(replace(flag, rollout=over), confirm)
    return replace(with_shares(flag, FULL, flag.planned_operations), rollout=over)


def _completed(flag: Flag, confirm: str) -> Flag:
    """The flag in the phase complete; the door refuses it where ramp_down was not lived in."""
    if flag.rollout.phase is not Phase.COMPLETE:
        want_confirmation(flag, confirm)
    return in_the_end(flag)


def _insist(flag: Flag, judged: Sequence[Criterion], cause: Cause, *, despite: bool) -> None:
    left = unmet(judged)
    if not despite:
        named = "; ".join(f"{each.title} ({each.outcome.word}: {each.sentence})" for each in left)
        of = f"{len(left)} of {len(judged)} success criteria have not passed"
        message = f"cannot finish '{flag.key}': {of}: {named}; wait for them, or finish despite criteria with a reason"
        raise Refused(message)
    if not cause.reason.strip():
        names = ", ".join(each.name for each in left)
        message = f"is missing: say why '{flag.key}' is finished although these criteria have not passed: {names}"
        raise InvalidInput((FieldError("reason", message),))


def _record(judged: Sequence[Criterion]) -> dict[str, Any]:
    if not judged:
        return {}
    criteria = {each.name: {"outcome": each.outcome.value, "sentence": each.sentence} for each in judged}
    return {"criteria": criteria, "despite": [each.name for each in unmet(judged)]}
