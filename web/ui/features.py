"""What people change on the page of a feature: who gets which variant."""

from http import HTTPStatus

from flask import Blueprint, Response, request

from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.usecases.changing import Place
from controlplane.usecases.features import set_targeting as usecase
from web.ui import variants
from web.ui.answering import carried_out, page
from web.ui.flag_page import whole_page
from web.wiring import wired

blueprint = Blueprint("features", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.post("/targeting")
def set_targeting(environment: str, flag: str) -> Response:
    place, wanted = Place(environment, flag), variants.read(request.form.get("targeting", ""))
    if wanted is not None and not isinstance(wanted, dict):
        return _wrong(place, InvalidInput((FieldError("targeting", variants.NO_OBJECT),)))
    done = "The targeting was changed." if wanted else "The targeting was taken away."
    return carried_out(
        place,
        lambda cause: usecase(wired().store, place, wanted, cause),
        done,
        wrong=lambda error: _wrong(place, error),
    )


def _wrong(place: Place, error: InvalidInput) -> Response:
    """A mistake is told at the field, with what was typed still in it."""
    told = dict(variants.shown_error(each.field, each.message) for each in reversed(error.errors))
    typed = {"targeting_text": request.form.get("targeting", ""), "targeting_errors": told}
    return page("flag.html", HTTPStatus.UNPROCESSABLE_ENTITY, **{**whole_page(place), **typed})
