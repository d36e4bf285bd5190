"""Webhooks and their deliveries as machines write them, and as they are answered: never a secret."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from controlplane.documents.fields import Document, Name, Number, Switch
from controlplane.domain.access import EVERYWHERE
from controlplane.domain.delivery import Delivery
from controlplane.domain.destination import LONGEST_URL
from controlplane.domain.webhook import MOST, Selection, Wanted, Webhook

Names = Annotated[tuple[Name, ...], Field(max_length=MOST)]


class WebhookDocument(Document):
    """`environments`: names, or `*` for all. Without `flags` and `tags` every flag is meant."""

    name: Name
    url: Annotated[str, Field(max_length=LONGEST_URL)]
    actions: Names
    environments: Names = (EVERYWHERE,)
    flags: Names = ()
    tags: Names = ()
    enabled: Switch = True

    def to_domain(self) -> Wanted:
        chosen = (self.environments, self.flags, self.tags, self.actions)
        return Wanted(
            self.name.strip(), self.url, Selection(*(tuple(dict.fromkeys(each)) for each in chosen)), self.enabled
        )


class RotateDocument(Document):
    """For how long the old secret signs beside the new one; 0 when it has leaked."""

    overlap_hours: Annotated[Number, Field(ge=0, le=720)] = 24

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)


def webhook_document(webhook: Webhook) -> dict[str, Any]:
    wanted = webhook.wanted
    return {
        "id": webhook.id,
        "name": wanted.name,
        "url": wanted.url,
        "environments": list(wanted.selection.environments),
        "flags": list(wanted.selection.flags),
        "tags": list(wanted.selection.tags),
        "actions": list(wanted.selection.actions),
        "enabled": wanted.enabled,
        "disabled_because": webhook.disabled_because or None,
        "failures": webhook.failures,
        "failing_since": _text(webhook.failing_since),
        "old_secret_until": _text(webhook.old_secret_until),
        "created_at": _text(webhook.created_at),
        "created_by": webhook.created_by,
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    outcome = delivery.outcome
    return {
        "id": delivery.id,
        "event": delivery.event,
        "environment": delivery.environment,
        "entry": delivery.entry,
        "action": delivery.action,
        "flag": delivery.flag,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "created_at": _text(delivery.created_at),
        "last_at": _text(delivery.last_at),
        "next_at": _text(delivery.next_at),
        "status": outcome.status,
        "answer": outcome.answer,
        "error": outcome.error,
        "milliseconds": outcome.milliseconds,
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
