"""A person's words for a rollout: start, pause, resume, advance, step back, approve, abort, roll back, unlock …"""

from collections.abc import Callable

from flask import Blueprint, Response, request

from controlplane.documents.acts import ReconciledDocument
from controlplane.documents.fields import parse
from controlplane.domain.errors import NotFound
from controlplane.domain.flag import Flag
from controlplane.usecases import finishing, reconciling
from controlplane.usecases import rollouts as usecases
from controlplane.usecases.changing import Cause, Place
from web.ui.answering import carried_out
from web.ui.numbers import number
from web.ui.verbs import VERBS
from web.wiring import wired

blueprint = Blueprint("rollouts", __name__, url_prefix="/environments/<environment>/flags/<flag>/rollout")


def roll_back(place: Place, cause: Cause) -> Flag:
    """The whole flag, or the one operation that the form names."""
    return usecases.roll_back(wired().store, place, cause, request.form.get("operation") or None)


def _confirmed() -> str:
    return request.form.get("confirm", "").strip()


def _reconciled() -> ReconciledDocument:
    """No more writes than the page showed when it was sent."""
    written = {name: request.form[name] for name in ("side", "writes") if name in request.form}
    return parse(ReconciledDocument, {**written, "writes": number(written.get("writes", ""))})


def finish(place: Place, cause: Cause) -> Flag:
    """Also despite criteria that have not passed, where the form says so."""
    despite = "despite_criteria" in request.form
    return finishing.finish(wired().store, place, cause, confirm=_confirmed(), despite_criteria=despite)


CHANGES: dict[str, Callable[[Place, Cause], object]] = {
    "start": lambda place, cause: usecases.start(wired().store, place, cause),
    "pause": lambda place, cause: usecases.pause(wired().store, place, cause),
    "resume": lambda place, cause: usecases.resume(wired().store, place, cause),
    "advance": lambda place, cause: usecases.advance(wired().store, place, cause, _confirmed()),
    "step-back": lambda place, cause: usecases.step_back(wired().store, place, cause),
    "approve": lambda place, cause: usecases.approve(wired().store, place, cause),
    "abort": lambda place, cause: usecases.abort(wired().store, place, cause),
    "rollback": roll_back,
    "unlock": lambda place, cause: usecases.unlock(wired().store, place, cause),
    "finish": finish,
    "reconciled": lambda place, cause: reconciling.reconciled(wired().store, place, _reconciled(), cause),
}


@blueprint.post("/<verb>")
def act(environment: str, flag: str, verb: str) -> Response:
    if verb not in CHANGES:
        raise NotFound(f"there is no '{verb}' to do to a rollout")
    place = Place(environment, flag)
    return carried_out(place, lambda cause: CHANGES[verb](place, cause), VERBS[verb].done)
