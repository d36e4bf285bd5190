"""Who gets what: a question about one key, whose address can be sent to somebody."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from controlplane.documents.attributes import read_attributes
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.deciding import decision_for
from web.ui import asking, variants
from web.ui.answering import page
from web.wiring import wired

blueprint = Blueprint("decisions", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/decision")
def show(environment: str, flag: str) -> Response:
    """The form with its answer; with htmx that card alone."""
    place = Place(environment, flag)
    asked = {name: request.args.get(name, "") for name in ("operation", "key", "attributes")}
    found, errors = None, {}
    if asked["operation"] or "key" in request.args:
        try:
            found = _decided(place, asked)
        except InvalidInput as error:
            errors = {each.field: each.message for each in error.errors}
    template = "flag/decision.html" if asking.is_fragment() else "decision.html"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors and not asking.is_fragment() else HTTPStatus.OK
    current = variants.sided(describe_flag(wired().store, place, asking.now()))
    return page(
        template,
        status,
        place=place,
        flag=current,
        is_feature=variants.is_feature(current),
        asked=asked,
        decision=found,
        errors=errors,
    )


def _decided(place: Place, asked: dict[str, str]) -> dict[str, Any]:
    """An empty field is no key: what a call without one gets can be asked, too."""
    broken = [name for name, text in asked.items() if any("\ud800" <= each <= "\udfff" for each in text)]
    if broken:
        raise InvalidInput(tuple(FieldError(name, "holds a character that is no text") for name in broken))
    attributes = read_attributes(asked["attributes"])
    return decision_for(wired().store, place, asked["operation"].strip(), asked["key"] or None, attributes)
