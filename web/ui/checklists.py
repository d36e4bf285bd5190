"""The page of a migration's checklists: what to look at before, what to clean up after."""

import re
from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, request, url_for

from controlplane.domain.checklist import Phase
from controlplane.domain.errors import FieldError, InvalidInput, NotFound, StaleVersion, ThrowbarError
from controlplane.usecases import attachments, checklists
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Cause, Place
from web.errors import STATUS
from web.ui import asking, variants
from web.ui.answering import Notice, done_and_back, page
from web.wiring import wired

blueprint = Blueprint("checklists", __name__, url_prefix="/environments/<environment>/flags/<flag>/checklist")

RUNS = 10  # test results that are shown
_NO_LETTER = re.compile(r"[^a-z0-9]+")


@blueprint.get("")
def show(environment: str, flag: str) -> Response:
    return _page(Place(environment, flag))


@blueprint.post("/<phase>/items/<item>")
def set_item(environment: str, flag: str, phase: str, item: str) -> Response:
    wanted = {name: request.form.get(name, "").strip() for name in ("title", "owner", "evidence")}
    ticked = {"done": "done" in request.form, "required": "required" in request.form}
    place, which = Place(environment, flag), _phase(phase)
    return _changed(
        place, lambda why: checklists.set_item(wired().store, place, which, item, {**wanted, **ticked}, why), "Saved."
    )


@blueprint.post("/<phase>/items")
def add_item(environment: str, flag: str, phase: str) -> Response:
    title = request.form.get("title", "").strip()
    place, which = Place(environment, flag), _phase(phase)
    wanted = {"title": title, "owner": request.form.get("owner", "").strip()}

    def added(why: Cause) -> None:
        name = _free_id(title, place, which)
        checklists.set_item(wired().store, place, which, name, wanted, why)

    return _changed(place, added, "Added.")


@blueprint.post("/<phase>/items/<item>/remove")
def remove_item(environment: str, flag: str, phase: str, item: str) -> Response:
    place, which = Place(environment, flag), _phase(phase)
    return _changed(place, lambda why: checklists.remove_item(wired().store, place, which, item, why), "Removed.")


@blueprint.post("/require")
def require(environment: str, flag: str) -> Response:
    place, asked = Place(environment, flag), {each: each in request.form for each in ("items", "tests", "criteria")}
    return _changed(place, lambda why: checklists.require(wired().store, place, **asked, cause=why), "Saved.")


def _phase(name: str) -> Phase:
    if name not in set(Phase):
        message = f"there is no checklist '{name}'"
        raise NotFound(message)
    return Phase(name)


def _free_id(title: str, place: Place, phase: Phase) -> str:
    """An id that says what the item is about and that no other one has."""
    if not title:
        raise InvalidInput((FieldError("title", "is missing: say what has to be looked at"),))
    stem = _NO_LETTER.sub("-", title.lower()).strip("-")[:60] or "item"
    taken = {each["id"] for each in checklists.show_checklist(wired().store, place, phase)["items"]}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}"[: 60 + 4]) not in taken)


def _changed(place: Place, change: Callable[[Cause], None], done: str) -> Response:
    try:
        change(asking.asked())
    except StaleVersion:
        told = "Nothing was changed: somebody changed this list in the meantime. Here it is as it is now."
        return _page(place, Notice("warn", told), HTTPStatus.PRECONDITION_FAILED)
    except InvalidInput as error:
        return _page(place, Notice("bad", "Nothing was changed.", error.errors), _status(error))
    back = url_for("ui.checklists.show", environment=place.environment, flag=place.flag)
    return done_and_back(back, done)


def _status(error: ThrowbarError) -> int:
    return STATUS[type(error)]


def _page(place: Place, notice: Notice | None = None, status: int = HTTPStatus.OK) -> Response:
    store, now = wired().store, asking.now()
    lists = {phase.value: checklists.show_checklist(store, place, phase) for phase in Phase}
    return page(
        "checklist.html",
        status,
        notice=notice,
        place=place,
        flag=variants.sided(describe_flag(store, place, now)),
        now=now,
        lists=lists,
        runs=attachments.list_attachments(store, place, RUNS),
    )
