"""Delivering: one attempt at a time for each webhook, recorded after it was made.

A crash between the two makes the attempt again: at least once, under the same webhook-id.
"""

import json
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from controlplane.clock import Clock
from controlplane.domain.audit import SCHEDULER, Action, AuditEntry, Change, differences
from controlplane.domain.delivery import Delivery, Outcome, attempted, next_up
from controlplane.domain.destination import origin_of
from controlplane.domain.errors import NotFound
from controlplane.domain.signature import headers_of
from controlplane.domain.webhook import Webhook, failed, succeeded
from controlplane.store import Store, UnitOfWork
from controlplane.store.lease import Lease
from controlplane.usecases.changing import Cause
from controlplane.usecases.entries import describe_entry
from controlplane.usecases.recording import record
from controlplane.usecases.sealing import Seal, Unreadable

KEEP = timedelta(days=30)
UNREADABLE = "its secret was sealed under another THROWBAR_SECRET_KEY: rotate it"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted: the body as it was signed, to the byte."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


class Courier(Protocol):
    """Posts letters, from several threads at once. Whatever goes wrong is an outcome: it raises nothing."""

    def __call__(self, letter: Letter) -> Outcome | None:
        """None when it was cut: nobody knows what came of it."""

    def close(self) -> None:
        """Cut what is under way, and take nothing more."""


@dataclass(frozen=True, slots=True)
class Office:
    """What delivering needs besides the database."""

    courier: Courier
    seal: Seal
    clock: Clock
    chance: Callable[[], float] = random.random


def due(store: Store, now: datetime) -> list[int]:
    """The webhooks that something can be sent to now: where the first holds up those behind it, nothing can."""
    with store.reading() as uow:
        return [each for each in uow.deliveries.due(now) if next_up(uow.deliveries.first(each, now), now)]


def deliver_next(store: Store, lease: Lease, office: Office, webhook_id: int) -> bool:
    """Try what is next for one webhook. False when nothing is due. Raises LeaseLost."""
    with store.reading() as uow:
        found = _next(uow, webhook_id, office.clock())
    if found is None:
        return False
    webhook, delivery, entry = found
    outcome = _attempt(webhook, delivery, entry, office)
    if outcome is None:
        return False
    _write_down(store, lease, (webhook, delivery), outcome, office)
    return True


def _next(uow: UnitOfWork, webhook_id: int, now: datetime) -> tuple[Webhook, Delivery, AuditEntry] | None:
    try:
        webhook = uow.webhooks.get(webhook_id)
    except NotFound:
        return None  # deleted meanwhile
    delivery = next_up(uow.deliveries.first(webhook_id, now), now)
    if delivery is None or not webhook.wanted.enabled:
        return None
    entry = uow.audit.get(uow.environments.get(delivery.environment).id, delivery.entry)
    return (webhook, delivery, entry) if entry else None


def _attempt(webhook: Webhook, delivery: Delivery, entry: AuditEntry, office: Office) -> Outcome | None:
    now = office.clock()
    try:
        secrets = [office.seal.open(each) for each in webhook.secrets_at(now)]
    except Unreadable:
        return Outcome(error=UNREADABLE)
    body = event_body(delivery.environment, delivery.event, entry)
    signed = headers_of(secrets, delivery.event, int(now.timestamp()), body)
    headers = {"content-type": "application/cloudevents+json; charset=utf-8", **signed}
    return office.courier(Letter(webhook.wanted.url, headers, body))


def event_body(environment: str, event: str, entry: AuditEntry) -> bytes:
    """An audit entry as a CloudEvent 1.0 in its structured JSON form; the same bytes each time."""
    return json.dumps(event_document(environment, event, entry), ensure_ascii=False, separators=(",", ":")).encode()


def event_document(environment: str, event: str, entry: AuditEntry) -> dict[str, Any]:
    told = describe_entry(entry)
    subject = {"subject": entry.flag} if entry.flag else {}
    return {
        "specversion": "1.0",
        "id": event,
        "source": f"/environments/{environment}",
        "type": f"throwbar.{entry.action.value.replace(':', '.')}",
        **subject,
        "time": told["at"],
        "datacontenttype": "application/json",
        "data": {"environment": environment, **told},
    }


def _write_down(store: Store, lease: Lease, sent: tuple[Webhook, Delivery], outcome: Outcome, office: Office) -> None:
    """What came of an attempt. Locks are taken in the order of every change to a webhook: log, webhook, deliveries."""
    (webhook, delivery), now = sent, office.clock()
    with store.writing() as uow, suppress(NotFound):  # deleted meanwhile, with its log
        uow.leases.check(lease)
        before = uow.webhooks.get(webhook.id)
        # How an address fared that is not its address any more is no matter of the webhook.
        after = _fared(before, outcome, now) if before.wanted == webhook.wanted else before
        if before.wanted.enabled and not after.wanted.enabled:
            _tell_disabled(uow, after, now)
        if uow.webhooks.get(webhook.id, lock=True) != before:
            return  # changed in this moment: the attempt is made once more
        if not uow.deliveries.save(delivery, attempted(delivery, outcome, now, office.chance())):
            return  # dropped while it was on its way
        _save_life(uow, before, after)
        uow.commit()
    if not outcome.is_success:
        _log.warning("webhook %d (%s): %s", webhook.id, origin_of(webhook.wanted.url), outcome.sentence)


def _fared(webhook: Webhook, outcome: Outcome, now: datetime) -> Webhook:
    return succeeded(webhook) if outcome.is_success else failed(webhook, outcome.status, outcome.sentence, now)


def _save_life(uow: UnitOfWork, before: Webhook, after: Webhook) -> None:
    if after != before:
        uow.webhooks.save(after)
    if before.wanted.enabled and not after.wanted.enabled:
        uow.deliveries.drop(f"the webhook was disabled: {after.disabled_because}", before.id)


def _tell_disabled(uow: UnitOfWork, webhook: Webhook, now: datetime) -> None:
    """An audit entry says so. Nothing more is sent; what was to come stays in the log, to be sent again by hand."""
    cause = Cause(SCHEDULER, now, webhook.disabled_because)
    name = Change("name", webhook.wanted.name, webhook.wanted.name)
    record(uow, None, cause, Action.WEBHOOK_DISABLE, name, *differences({"enabled": True}, {"enabled": False}))
    _log.error("webhook %d (%s) is disabled: %s", webhook.id, origin_of(webhook.wanted.url), webhook.disabled_because)


def forget_deliveries(store: Store, now: datetime) -> int:
    """Drop from the log what was over a month ago; how much."""
    with store.writing() as uow:
        dropped = uow.deliveries.forget(now - KEEP)
        uow.commit()
    return dropped
