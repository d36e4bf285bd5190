"""An environment and its calendar: when nothing moves on by itself, and whether each change must say why."""

from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.calendar import Freeze
from controlplane.domain.errors import InvalidInput
from controlplane.usecases import environments, freezes
from web.ui import asking
from web.ui.answering import done_and_back, page
from web.ui.forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("calendar", __name__, url_prefix="/environments/<environment>/calendar")


@blueprint.get("")
def show(environment: str) -> Response:
    return _shown(environment)


@blueprint.post("/freezes")
def add_freeze(environment: str) -> Response:
    given = asking.fields()
    wanted = {
        "name": given.get("name", ""),
        **{name: _utc(given.get(name, "")) for name in ("starts_at", "ends_at")},
    }
    try:
        new = freezes.add_freeze(wired().store, environment, wanted, asking.asked())
    except InvalidInput as error:
        return _shown(environment, HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors))
    return _back(environment, f"{new.name}: no rollout moves on in that time. Brakes work as ever.")


@blueprint.post("/freezes/<int:number>/remove")
def remove_freeze(environment: str, number: int) -> Response:
    try:
        old = freezes.remove_freeze(wired().store, environment, number, asking.asked())
    except InvalidInput as error:
        return _shown(environment, HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors))
    return _back(environment, f"{old.name} is over: rollouts move on at the next tick.")


@blueprint.post("/reasons")
def set_reasons(environment: str) -> Response:
    wanted = request.form.get("require_reason") == "yes"
    try:
        environments.set_environment(wired().store, environment, asking.asked(), require_reason=wanted)
    except InvalidInput as error:
        return _shown(environment, HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors))
    return _back(environment, "Each change must say why from now on." if wanted else "Nobody is asked why any more.")


def _utc(text: str) -> str:
    """A date field has no offset: everything here is UTC."""
    return f"{text}Z" if text and text[-1].isdigit() and "+" not in text else text


def _back(environment: str, done: str) -> Response:
    return done_and_back(url_for("ui.calendar.show", environment=environment), done)


def _shown(environment: str, status: int = HTTPStatus.OK, **context: object) -> Response:
    now = asking.now()
    known = freezes.list_freezes(wired().store, environment)
    return page(
        "calendar.html",
        status,
        environment=environment,
        here=environments.get_environment(wired().store, environment),
        coming=[each for each in known if each.ends_at > now],
        over=[each for each in reversed(known) if each.ends_at <= now],
        picture=_picture([each for each in known if each.ends_at > now], now),
        asked=asking.fields() if status != HTTPStatus.OK else {},
        now=now,
        **context,
    )


def _picture(coming: list[Freeze], now: datetime) -> list[tuple[Freeze, float, float]]:
    """Each freeze with its beginning and its length, in percent of the time from now to the last end."""
    whole = max(((each.ends_at - now).total_seconds() for each in coming), default=1.0)
    found = []
    for each in coming:
        begin, end = (max((at - now).total_seconds(), 0.0) for at in (each.starts_at, each.ends_at))
        found.append((each, round(begin / whole * 100, 2), round((end - begin) / whole * 100, 2)))
    return found
