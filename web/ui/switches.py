"""What people change on the page of a flag: the kill switch, percents, operations, versions."""

from flask import Blueprint, Response, request

from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag import Flag
from controlplane.usecases import flags as usecases
from controlplane.usecases.changing import Cause, Place
from web.ui.answering import carried_out
from web.ui.numbers import number
from web.wiring import wired

blueprint = Blueprint("switches", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.post("/enable")
def enable(environment: str, flag: str) -> Response:
    place = Place(environment, flag)
    return carried_out(place, lambda cause: usecases.enable_flag(wired().store, place, cause), "Enabled.")


@blueprint.post("/disable")
def disable(environment: str, flag: str) -> Response:
    place, done = Place(environment, flag), "Disabled: every call goes to the baseline."
    return carried_out(place, lambda cause: usecases.disable_flag(wired().store, place, cause), done)


@blueprint.post("/archive")
def archive(environment: str, flag: str) -> Response:
    place = Place(environment, flag)
    return carried_out(place, lambda cause: usecases.archive_flag(wired().store, place, cause), "Archived.")


@blueprint.post("/operations")
def add_operation(environment: str, flag: str) -> Response:
    return set_percent(environment, flag, request.form.get("operation", "").strip())


@blueprint.post("/operations/<operation>")
def set_percent(environment: str, flag: str, operation: str) -> Response:
    place, text = Place(environment, flag), request.form.get("percent", "").strip()
    kind = {"kind": request.form["kind"]} if request.form.get("kind") else {}

    def change(cause: Cause) -> Flag:
        if not text:
            raise InvalidInput((FieldError("percent", "is empty: say how much goes to the candidate, from 0 to 100"),))
        return usecases.set_operation(wired().store, place, operation, {"percent": number(text), **kind}, cause)

    return carried_out(place, change, f"{operation} is at {number(text)} %.")


@blueprint.post("/operations/<operation>/routing")
def set_routing(environment: str, flag: str, operation: str) -> Response:
    """Mode, sample, breaker and attempts. A sample belongs to a mode that samples, and goes with it."""
    mode, sample = request.form.get("mode", "single"), request.form.get("shadow_percent", "").strip()
    wanted = {
        "mode": mode,
        "shadow_percent": number(sample) if sample and mode in ("shadow", "aa") else None,
        "breaker": {"mode": request.form.get("breaker") or None},
    }
    if "attempts" in request.form:
        attempts = request.form["attempts"].strip()
        wanted["retry"] = {"attempts": number(attempts) if attempts else None}
    place, done = Place(environment, flag), f"{operation} is routed so."
    return carried_out(
        place, lambda cause: usecases.set_operation(wired().store, place, operation, wanted, cause), done
    )


@blueprint.post("/operations/<operation>/remove")
def remove_operation(environment: str, flag: str, operation: str) -> Response:
    place, done = Place(environment, flag), f"{operation} was removed: its calls go to the baseline."
    return carried_out(place, lambda cause: usecases.remove_operation(wired().store, place, operation, cause), done)


@blueprint.post("/revert")
def revert(environment: str, flag: str) -> Response:
    place, version = Place(environment, flag), request.form.get("to_version", default=0, type=int)
    done = f"As it was in version {version}."
    return carried_out(place, lambda cause: usecases.revert_flag(wired().store, place, version, cause), done)
