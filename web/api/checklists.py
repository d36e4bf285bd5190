"""Checklists: what people look at before a migration and after it. If-Match is the checklist's own version."""

from flask import Blueprint, Response

from controlplane.domain.checklist import Phase
from controlplane.usecases import checklists
from controlplane.usecases.changing import Cause, Place
from web.api import reading
from web.api.answering import with_etag
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint(
    "checklists",
    __name__,
    url_prefix='/environments/<environment>/flags/<flag>/checklists/<any("before", "after"):phase>',
)


@blueprint.get("")
def show(environment: str, flag: str, phase: str) -> Response:
    """The checklist before a migration, or the clean-up points after it."""
    return _answer(Place(environment, flag), phase)


@blueprint.put("")
def replace(environment: str, flag: str, phase: str) -> Response:
    """Replace the list. Who did an item and when stays with items that are done in both."""
    place, why = Place(environment, flag), _why()
    checklists.replace_checklist(wired().store, place, Phase(phase), reading.body(), why)
    return _answer(place, phase)


@blueprint.put("/items/<item>")
def set_item(environment: str, flag: str, phase: str, item: str) -> Response:
    """Add an item or change the fields that are given; `done` writes down who and when."""
    place, why = Place(environment, flag), _why()
    checklists.set_item(wired().store, place, Phase(phase), item, reading.body(), why)
    return _answer(place, phase)


@blueprint.delete("/items/<item>")
def remove_item(environment: str, flag: str, phase: str, item: str) -> Response:
    """Take an item off the list."""
    place, why = Place(environment, flag), _why()
    checklists.remove_item(wired().store, place, Phase(phase), item, why)
    return _answer(place, phase)


def _why() -> Cause:
    reading.known("reason")
    return cause(reading.reason(), reading.required_version())


def _answer(place: Place, phase: str) -> Response:
    return with_etag(checklists.show_checklist(wired().store, place, Phase(phase)))
