"""What would a percent move? One sentence, asked while somebody types; setting it is another matter."""

from flask import Blueprint, Response, make_response, request
from markupsafe import escape

from controlplane.domain.errors import InvalidInput
from controlplane.usecases.changing import Place
from controlplane.usecases.previewing import preview
from web.ui import asking
from web.wiring import wired

blueprint = Blueprint("previews", __name__, url_prefix="/environments/<environment>/flags/<flag>")


@blueprint.get("/operations/<operation>/preview")
def percent(environment: str, flag: str, operation: str) -> Response:
    """A percent that cannot be set is told, not refused: nothing was sent yet."""
    found = preview(wired().store, Place(environment, flag), asking.now(), wired().clockwork)
    try:
        told = found.of_percent(operation, request.args.get("percent", ""))
    except InvalidInput as error:
        told = f"The percent {error.errors[0].message}."
    return make_response(str(escape(told)))
