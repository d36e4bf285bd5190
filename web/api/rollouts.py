"""Rollouts: what people do with them, one address a verb."""

from collections.abc import Callable

from flask import Blueprint, Response

from controlplane.documents.acts import ReasonDocument, RollBackDocument, StartDocument
from controlplane.documents.fields import parse
from controlplane.domain.flag import Flag
from controlplane.usecases import rollouts
from controlplane.usecases.changing import Place
from web.api import reading
from web.api.answering import flag_answer
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
    "finish": rollouts.finish,
}
_NAMES = ", ".join(f'"{verb}"' for verb in VERBS)


@blueprint.post("/start")
def start(environment: str, flag: str) -> Response:
    """Begin a new attempt at the first stage: now, at `at`, or when the plan says."""
    wanted = parse(StartDocument, reading.body(optional=True))
    why = cause(wanted.reason, reading.expected_version())
    return flag_answer(rollouts.start(wired().store, Place(environment, flag), why, wanted.at))


@blueprint.post(f"/<any({_NAMES}):verb>")
def act(environment: str, flag: str, verb: str) -> Response:
    """Pause, resume, advance, step back, approve, abort, roll back, unlock or finish a rollout.

    Nothing stands between an operator and the brake: pause, step-back, abort and rollback do not look at If-Match.
    """
    sent, place = reading.body(optional=True), Place(environment, flag)
    expected = None if verb in rollouts.BRAKES else reading.expected_version()
    if verb == "rollback":
        given = parse(RollBackDocument, sent)
        return flag_answer(rollouts.roll_back(wired().store, place, cause(given.reason), given.operation))
    return flag_answer(VERBS[verb](wired().store, place, cause(parse(ReasonDocument, sent).reason, expected)))
