"""Webhooks: who is told what happens, and for each one its log. A secret is shown once, in the answer that makes it."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from controlplane.documents.fields import parse
from controlplane.documents.webhooks import WebhookDocument
from controlplane.domain.errors import FieldError, InvalidInput, Refused
from controlplane.domain.webhook import Wanted
from controlplane.usecases import webhooks as usecases
from controlplane.usecases.environments import list_environments
from web.errors import STATUS
from web.ui import asking, webhook_forms
from web.ui.answering import Notice, done_and_back, page
from web.ui.webhook_forms import shown_errors
from web.wiring import wired

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.get("")
def list_all() -> Response:
    return _listed(fields=webhook_forms.starting_fields())


@blueprint.post("")
def create() -> Response:
    wiring = wired()
    try:
        new, secret = usecases.create_webhook(
            wiring.store, _wanted(enabled=True), wiring.seal, wiring.settings.allowed, asking.asked()
        )
    except InvalidInput as error:
        return _listed(HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors), fields=_typed())
    return _shown(new.id, secret=secret)


@blueprint.get("/<int:webhook>")
def show(webhook: int) -> Response:
    """The page, or with htmx its log."""
    if asking.is_fragment():
        return Response(render_template("webhook_log.html", **_log(webhook)))
    return _shown(webhook)


@blueprint.post("/<int:webhook>")
def save(webhook: int) -> Response:
    is_enabled = usecases.get_webhook(wired().store, webhook).wanted.enabled
    return _changed(webhook, enabled=is_enabled, done="Saved: it holds for what happens from now on.")


@blueprint.post("/<int:webhook>/switch")
def switch(webhook: int) -> Response:
    before = usecases.get_webhook(wired().store, webhook).wanted
    enabled = request.form.get("enabled") == "yes"
    wanted = Wanted(before.name, before.url, before.selection, enabled)
    done = f"{before.name} is told {'what happens from now on' if enabled else 'nothing any more'}."
    return _carried_out(webhook, wanted, done)


@blueprint.post("/<int:webhook>/delete")
def delete(webhook: int) -> Response:
    old = usecases.delete_webhook(wired().store, webhook, asking.asked())
    return done_and_back(url_for("ui.webhooks.list_all"), f"{old.wanted.name} is deleted, with its log.")


@blueprint.post("/<int:webhook>/rotate")
def rotate(webhook: int) -> Response:
    hours = request.form.get("overlap_hours", "24")
    overlap = timedelta(hours=int(hours) if hours in webhook_forms.OVERLAPS else 24)
    _, secret = usecases.rotate_secret(wired().store, webhook, overlap, wired().seal, asking.asked())
    return _shown(webhook, secret=secret)


@blueprint.post("/<int:webhook>/test")
def test(webhook: int) -> Response:
    try:
        usecases.send_test(wired().store, webhook, asking.asked())
    except Refused as error:
        return _refused(webhook, error)
    return _back(webhook, "A test event is on its way: the log tells what comes of it.")


@blueprint.post("/<int:webhook>/deliveries/<int:delivery>/redeliver")
def redeliver(webhook: int, delivery: int) -> Response:
    try:
        made = usecases.redeliver(wired().store, webhook, delivery, asking.asked())
    except Refused as error:
        return _refused(webhook, error)
    return _back(webhook, f"{made.event} is on its way again.")


def _changed(webhook: int, *, enabled: bool, done: str) -> Response:
    try:
        wanted = _wanted(enabled=enabled)
    except InvalidInput as error:
        return _shown(webhook, HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors), fields=_typed())
    return _carried_out(webhook, wanted, done)


def _carried_out(webhook: int, wanted: Wanted, done: str) -> Response:
    try:
        usecases.replace_webhook(wired().store, webhook, wanted, wired().settings.allowed, asking.asked())
    except InvalidInput as error:
        return _shown(webhook, HTTPStatus.UNPROCESSABLE_ENTITY, errors=shown_errors(error.errors), fields=_typed())
    return _back(webhook, done)


def _wanted(*, enabled: bool) -> Wanted:
    """Raises InvalidInput."""
    chosen = {name: request.form.getlist(name) for name in ("environment", "action")}
    given = webhook_forms.document(asking.fields(), chosen, enabled=enabled)
    if not given["actions"]:
        raise InvalidInput((FieldError("actions", "is empty: tick what it is told, or name it"),))
    return parse(WebhookDocument, given).to_domain()


def _typed() -> dict[str, object]:
    """The form as it was sent."""
    return {**asking.fields(), **{name: request.form.getlist(name) for name in ("environment", "action")}}


def _refused(webhook: int, error: Refused) -> Response:
    return _shown(webhook, STATUS[Refused], notice=Notice("bad", f"Nothing was sent: {error.message}."))


def _back(webhook: int, done: str) -> Response:
    return done_and_back(url_for("ui.webhooks.show", webhook=webhook), done)


def _listed(status: int = HTTPStatus.OK, **context: object) -> Response:
    found = usecases.list_webhooks(wired().store)
    return page("webhooks.html", status, webhooks=found, **_choices(), **context)


def _shown(webhook: int, status: int = HTTPStatus.OK, **context: object) -> Response:
    log = _log(webhook)
    fields = context.pop("fields", None) or webhook_forms.fields_of(log["webhook"])
    return page(
        "webhook.html", status, fields=fields, overlaps=webhook_forms.OVERLAPS, **_choices(), **{**log, **context}
    )


def _log(webhook: int) -> dict[str, Any]:
    before = request.args.get("before", type=int)
    page_of_log = usecases.list_deliveries(wired().store, webhook, before=before)
    found = usecases.get_webhook(wired().store, webhook)
    return {
        "webhook": found,
        "deliveries": page_of_log.items,
        "next": page_of_log.next,
        "before": before,
        "now": asking.now(),
    }


def _choices() -> dict[str, object]:
    names = [each.name for each in list_environments(wired().store)]
    return {"names": names, "usual": webhook_forms.USUAL, "asked_by": asking.who_wants_reasons()}
