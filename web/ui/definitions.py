"""The form of a flag: a new one, or another definition for one that exists."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request, url_for

from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput, Refused, StaleVersion, ThrowbarError
from controlplane.usecases import flags as usecases
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.waiting import goes_to
from web.errors import STATUS
from web.ui import asking, diffs, forecasts, forms, plan_forms, plans, variants
from web.ui.answering import done_and_back, page
from web.wiring import wired

blueprint = Blueprint("definitions", __name__, url_prefix="/environments/<environment>")
_REJECTIONS = (InvalidInput, AlreadyExists, Refused, StaleVersion)


@blueprint.get("/new-flag")
def new(environment: str) -> Response:
    return _form(environment, forms.starting_fields(request.args.get("kind", "")))


@blueprint.post("/new-flag")
def create(environment: str) -> Response:
    if (filled := _filled_in(environment)) is not None:
        return _form(environment, filled)
    fields = plan_forms.closed_up(asking.fields())
    try:
        made = usecases.create_flag(wired().store, environment, forms.document(fields), asking.asked())
    except _REJECTIONS as error:
        return _form(environment, fields, error=error)
    return _to(environment, made.key, f"{made.key} was created. It is disabled: {goes_to(made)}.")


@blueprint.get("/flags/<flag>/edit")
def edit(environment: str, flag: str) -> Response:
    current = variants.sided(describe_flag(wired().store, Place(environment, flag), asking.now()))
    return _form(environment, forms.fields_of(current), current=current)


@blueprint.post("/flags/<flag>/edit")
def save(environment: str, flag: str) -> Response:
    place = Place(environment, flag)
    current = variants.sided(describe_flag(wired().store, place, asking.now()))
    if (filled := _filled_in(environment)) is not None:
        return _form(environment, filled, current=current, expected=request.form.get("expected"))
    fields = plan_forms.closed_up(asking.fields())
    try:
        usecases.replace_flag(wired().store, place, forms.document(fields, current), asking.asked())
    except _REJECTIONS as error:
        return _form(environment, fields, current=current, error=error)
    return _to(environment, flag, "Saved.")


def _filled_in(environment: str) -> dict[str, str] | None:
    """The form with a template's plan, with one row more or with a forecast, when that was asked for; else None."""
    fields = plan_forms.closed_up(asking.fields())
    if fields.get("do") == "template":
        rest = {name: value for name, value in fields.items() if not name.startswith("stage-")}
        return rest | _offered(environment, fields.get("template", ""))
    return fields if fields.get("do") in {"stage", "variant", "forecast"} else None


def _offered(environment: str, name: str) -> dict[str, str]:
    """The fields of a template, or of the plan of another flag, but its date."""
    source = plans.flag_of(name)
    if source is None:
        return plans.template_fields(name)
    document = describe_flag(wired().store, Place(environment, source), asking.now())["plan"]
    return plan_forms.plan_fields({**document, "start_at": None}) if document else {}


def _copied_from(environment: str, current: dict[str, Any] | None) -> list[str]:
    """The other flags that have a plan."""
    mine = current["key"] if current else None
    found = usecases.list_flags(wired().store, environment)
    return [flag.key for flag in found if flag.plan and flag.key != mine]


def _form(
    environment: str,
    fields: dict[str, str],
    *,
    current: dict[str, Any] | None = None,
    expected: str | None = None,
    error: ThrowbarError | None = None,
) -> Response:
    document = forms.document(fields, current)
    told = forms.every_error(document, error.errors) if isinstance(error, InvalidInput) else _on_field(error)
    return page(
        "flag_form.html",
        STATUS[type(error)] if error else HTTPStatus.OK,
        environment=environment,
        fields=fields,
        rows=len(plan_forms.filled_rows(fields)) + (2 if fields.get("do") == "stage" else 1),
        current=current,
        # Saying it again after a conflict is said on top of the version that was just shown.
        expected=expected or (current["version"] if current else ""),
        errors=forms.shown_errors(told),
        message=error.message if error and not told else None,
        conflict=_differing(current, document) if current and isinstance(error, StaleVersion) else None,
        forecast=forecasts.of_plan(Place(environment, current["key"]), document.get("plan")) if current else None,
        choices=plans,
        value_types=variants.VALUE_TYPES,
        variant_rows=variants.rows(fields),
        copied_from=_copied_from(environment, current),
    )


def _on_field(error: ThrowbarError | None) -> tuple[FieldError, ...]:
    return (FieldError("key", "is taken: choose another one"),) if isinstance(error, AlreadyExists) else ()


def _differing(current: dict[str, Any], wanted: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Field, what is in force now, what the form wants."""
    return [
        (name, diffs.worded(name, current.get(name)), diffs.worded(name, wanted[name]))
        for name in wanted
        # A document leaves out what is empty and was added after its first version.
        if (wanted[name] or None) != (current.get(name) or None)
    ]


def _to(environment: str, key: str, done: str) -> Response:
    return done_and_back(url_for("ui.flags.show", environment=environment, flag=key), done)
