"""The page that tries other guardrails on stored telemetry: a question, whose address can be sent to somebody."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request

from controlplane.documents.backtest import BacktestDocument
from controlplane.documents.fields import parse
from controlplane.domain.errors import FieldError, InvalidInput, NotFound
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.backtest import backtest
from controlplane.usecases.changing import Place
from web.ui import asking, course, forms, variants
from web.ui.answering import page
from web.ui.numbers import number
from web.wiring import wired

blueprint = Blueprint("backtests", __name__, url_prefix="/environments/<environment>/flags/<flag>")

STYLES = {
    "suspicious": ("inconclusive", "Suspicious"),
    "hold": ("inconclusive", "Would have held"),
    "report": ("unhealthy", "Would have reported a rollback"),
    "roll_back": ("unhealthy", "Would have rolled back"),
    "advance": ("healthy", "Would have advanced"),
    "complete": ("healthy", "Would have completed"),
}


@blueprint.get("/backtest")
def show(environment: str, flag: str) -> Response:
    """The form, filled with the flag's own guardrails; with `run`, what the ones in the form would have done."""
    place = Place(environment, flag)
    current = variants.sided(describe_flag(wired().store, place, asking.now()))
    fields = dict(request.args) if "run" in request.args else _prefilled(current)
    found, errors, message = None, {}, None
    if "run" in request.args:
        try:
            found = _tried(place, fields, current)
        except InvalidInput as error:
            errors = forms.shown_errors(error.errors)
        except NotFound as error:
            message = error.message
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors or message else HTTPStatus.OK
    shown = {"place": place, "flag": current, "fields": fields, "now": asking.now(), "styles": STYLES}
    drawn = course.picture(found) if found else None
    return page("backtest.html", status, found=found, drawn=drawn, errors=errors, message=message, **shown)


def _prefilled(current: dict[str, Any]) -> dict[str, str]:
    limits = current["guardrails"]
    return forms.guardrail_fields(limits) if limits else forms.starting_fields()


def _tried(place: Place, fields: dict[str, str], current: dict[str, Any]) -> dict[str, Any]:
    wanted = {
        "guardrails": forms.guardrails_of(fields, current["guardrails"] or {}),
        "attempt": number(fields["attempt"]) if fields.get("attempt", "").strip() else None,
        "since": _instant(fields, "since"),
        "until": _instant(fields, "until"),
    }
    asked = parse(BacktestDocument, wanted)
    return backtest(wired().store, place, asked, asking.now(), wired().clockwork)


def _instant(fields: dict[str, str], name: str) -> str | None:
    """What a field for date and time sends has no offset: the pages speak UTC."""
    text = fields.get(name, "").strip()
    if not text:
        return None
    if "\x00" in text or len(text) > len("2026-01-31T12:00:00.000000+00:00"):
        raise InvalidInput((FieldError(name, "must be an instant like 2026-01-31T12:00"),))
    return text if text.endswith("Z") or "+" in text else f"{text}Z"
