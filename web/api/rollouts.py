"""Rollouts: what people do with them, one address a verb."""

from collections.abc import Callable

from flask import Blueprint, Response

from controlplane.documents.acts import (
    ConfirmedDocument,
    FinishDocument,
    ReasonDocument,
    ReconciledDocument,
    RollBackDocument,
    StartDocument,
)
from controlplane.documents.fields import parse
from controlplane.domain.flag import Flag
from controlplane.usecases import finishing, reconciling, rollouts
from controlplane.usecases.changing import Place
from controlplane.usecases.flags import get_flag
from web.api import reading
from web.api.answering import answer_of
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("rollouts", __name__, url_prefix="/environments/<environment>/flags/<flag>/rollout")

VERBS: dict[str, Callable[..., Flag]] = {
    "pause": rollouts.pause,
    "resume": rollouts.resume,
    "advance": rollouts.advance,
    "step-back": rollouts.step_back,
    "approve": rollouts.approve,
    "abort": rollouts.abort,
    "rollback": rollouts.roll_back,
    "unlock": rollouts.unlock,
}
_NAMES = ", ".join(f'"{verb}"' for verb in VERBS)


@blueprint.post("/start")
def start(environment: str, flag: str) -> Response:
    """Begin a new attempt at the first stage: now, at `at`, or when the plan says."""
    wanted = parse(StartDocument, reading.body(optional=True))
    why = cause(wanted.reason, reading.expected_version())
    place = Place(environment, flag)
    return answer_of(place, rollouts.start(wired().store, place, why, wanted.at))


@blueprint.post("/finish")
def finish(environment: str, flag: str) -> Response:
    """Drop the hold-back; with `despite_criteria` and a reason also while required success criteria have not passed.

    `confirm` is the flag's key, where data move and no way leads back.
    """
    sent = parse(FinishDocument, reading.body(optional=True))
    why, place = cause(sent.reason, reading.expected_version()), Place(environment, flag)
    changed = finishing.finish(wired().store, place, why, confirm=sent.confirm, despite_criteria=sent.despite_criteria)
    return answer_of(place, changed)


@blueprint.post(f"/<any({_NAMES}):verb>")
def act(environment: str, flag: str, verb: str) -> Response:
    """Pause, resume, advance, step back, approve, abort, roll back or unlock a rollout.

    Nothing stands between an operator and the brake: pause, step-back, abort and rollback do not look at If-Match.
    `confirm` is for advance, where data move and no way leads back.
    """
    sent, place = reading.body(optional=True), Place(environment, flag)
    expected = None if verb in rollouts.BRAKES else reading.expected_version()
    if verb == "rollback":
        given = parse(RollBackDocument, sent)
        return answer_of(place, rollouts.roll_back(wired().store, place, cause(given.reason), given.operation))
    if verb == "advance":
        sure = parse(ConfirmedDocument, sent)
        return answer_of(place, rollouts.advance(wired().store, place, cause(sure.reason, expected), sure.confirm))
    return answer_of(place, VERBS[verb](wired().store, place, cause(parse(ReasonDocument, sent).reason, expected)))


@blueprint.post("/reconciled")
def reconciled(environment: str, flag: str) -> Response:
    """Writes that one side's store missed are there now: a person's word, which the audit log keeps."""
    told, place = parse(ReconciledDocument, reading.body()), Place(environment, flag)
    reconciling.reconciled(wired().store, place, told, cause(told.reason))
    return answer_of(place, get_flag(wired().store, place))
