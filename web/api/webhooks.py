"""Webhooks: who is told of what happens, their secrets, and the log of what was sent to them."""

from flask import Blueprint, Response, jsonify

from controlplane.documents.acts import NEWEST
from controlplane.documents.fields import parse
from controlplane.documents.webhooks import RotateDocument, WebhookDocument, delivery_document, webhook_document
from controlplane.domain.delivery import State
from controlplane.usecases import webhooks
from web.api import reading
from web.api.answering import created, listed
from web.auth import cause
from web.wiring import wired

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.get("")
def list_all() -> Response:
    """Every webhook by id; never its secret."""
    return listed([webhook_document(each) for each in webhooks.list_webhooks(wired().store)])


@blueprint.post("")
def create() -> Response:
    """Let an endpoint be told what happens from now on. `secret` is shown this once and never again."""
    reading.known("reason")
    wanted = parse(WebhookDocument, reading.body()).to_domain()
    wiring = wired()
    new, secret = webhooks.create_webhook(
        wiring.store, wanted, wiring.seal, wiring.settings.allowed, cause(reading.reason())
    )
    return created(jsonify({**webhook_document(new), "secret": secret}), f"/api/v1/webhooks/{new.id}")


@blueprint.get("/<int:webhook>")
def show(webhook: int) -> Response:
    """One webhook, and how its endpoint fares."""
    return jsonify(webhook_document(webhooks.get_webhook(wired().store, webhook)))


@blueprint.put("/<int:webhook>")
def replace(webhook: int) -> Response:
    """Let it be as given; what is left out takes its default. One that is enabled again starts anew."""
    reading.known("reason")
    wanted = parse(WebhookDocument, reading.body()).to_domain()
    why = cause(reading.reason())
    changed = webhooks.replace_webhook(wired().store, webhook, wanted, wired().settings.allowed, why)
    return jsonify(webhook_document(changed))


@blueprint.delete("/<int:webhook>")
def delete(webhook: int) -> Response:
    """Tell it nothing more, and forget its log."""
    reading.known("reason")
    return jsonify(webhook_document(webhooks.delete_webhook(wired().store, webhook, cause(reading.reason()))))


@blueprint.post("/<int:webhook>/rotate")
def rotate(webhook: int) -> Response:
    """Give it a new secret, shown this once. The old one signs beside it until `overlap_hours` are over."""
    reading.known("reason")
    given = parse(RotateDocument, reading.body(optional=True))
    why = cause(reading.reason())
    changed, secret = webhooks.rotate_secret(wired().store, webhook, given.overlap, wired().seal, why)
    return jsonify({**webhook_document(changed), "secret": secret})


@blueprint.post("/<int:webhook>/test")
def test(webhook: int) -> Response:
    """Send it a test event. The answer is its delivery, which is made within seconds."""
    reading.known("reason")
    made = webhooks.send_test(wired().store, webhook, cause(reading.reason()))
    return created(jsonify(delivery_document(made)), f"/api/v1/webhooks/{webhook}/deliveries/{made.id}")


@blueprint.get("/<int:webhook>/deliveries")
def deliveries(webhook: int) -> Response:
    """What was sent to it, or is to be sent, from the newest backwards; kept for 30 days."""
    reading.known("state", "before", "limit")
    state = reading.one_of("state", [each.value for each in State])
    before, limit = reading.whole("before", 1, NEWEST), reading.whole("limit", 1, 500, webhooks.PAGE)
    page = webhooks.list_deliveries(
        wired().store, webhook, State(state) if state else None, before, limit or webhooks.PAGE
    )
    return listed([delivery_document(each) for each in page.items], page.next)


@blueprint.get("/<int:webhook>/deliveries/<int:delivery>")
def delivery(webhook: int, delivery: int) -> Response:
    """One delivery."""
    return jsonify(delivery_document(webhooks.get_delivery(wired().store, webhook, delivery)))


@blueprint.post("/<int:webhook>/deliveries/<int:delivery>/redeliver")
def redeliver(webhook: int, delivery: int) -> Response:
    """Send the same event once more, under the same webhook-id. 409 while it is on its way."""
    reading.known("reason")
    made = webhooks.redeliver(wired().store, webhook, delivery, cause(reading.reason()))
    return created(jsonify(delivery_document(made)), f"/api/v1/webhooks/{webhook}/deliveries/{made.id}")
