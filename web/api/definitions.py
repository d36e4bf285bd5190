"""The parts of a flag's definition, one at a time: operations, guardrails, plan; and going back to an old one."""

from flask import Blueprint, Response

from controlplane.documents.acts import CopyPlanDocument, RevertDocument
from controlplane.documents.fields import parse
from controlplane.usecases import features, flags
from controlplane.usecases.changing import Cause, Place
from web.api import reading
from web.api.answering import flag_answer
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("definitions", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.put("/operations/<operation>")
def set_operation(environment: str, flag: str, operation: str) -> Response:
    """Add an operation, or change how it is routed; fields left out keep what they were, a breaker's included."""
    why, document = _why(), reading.body()
    return flag_answer(flags.set_operation(wired().store, Place(environment, flag), operation, document, why))


@blueprint.delete("/operations/<operation>")
def remove_operation(environment: str, flag: str, operation: str) -> Response:
    """Remove an operation: its calls go to the baseline."""
    return flag_answer(flags.remove_operation(wired().store, Place(environment, flag), operation, _why()))


@blueprint.put("/guardrails")
def set_guardrails(environment: str, flag: str) -> Response:
    """Replace the guardrails."""
    why, document = _why(), reading.body()
    return flag_answer(flags.set_guardrails(wired().store, Place(environment, flag), document, why))


@blueprint.put("/targeting")
def set_targeting(environment: str, flag: str) -> Response:
    """Replace the targeting of a feature: JsonLogic, or an empty object for none."""
    why, document = _why(), reading.body()
    return flag_answer(features.set_targeting(wired().store, Place(environment, flag), document, why))


@blueprint.put("/plan")
def set_plan(environment: str, flag: str) -> Response:
    """Replace the rollout plan."""
    why, document = _why(), reading.body()
    return flag_answer(flags.set_plan(wired().store, Place(environment, flag), document, why))


@blueprint.post("/plan/copy")
def copy_plan(environment: str, flag: str) -> Response:
    """Take the plan of another flag, but its date."""
    expected = reading.required_version()
    given = parse(CopyPlanDocument, reading.body())
    why = cause(given.reason, expected)
    return flag_answer(flags.copy_plan(wired().store, Place(environment, flag), given.from_flag, why))


@blueprint.post("/revert")
def revert(environment: str, flag: str) -> Response:
    """Bring back the definition of an earlier version; never its rollout, attempts or lock."""
    expected = reading.required_version()
    given = parse(RevertDocument, reading.body())
    why = cause(given.reason, expected)
    return flag_answer(flags.revert_flag(wired().store, Place(environment, flag), given.to_version, why))


def _why() -> Cause:
    reading.known("reason")
    return cause(reading.reason(), reading.required_version())
