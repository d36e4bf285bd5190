"""How does the form of a webhook become a document, and how does a delivery look? Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.domain.access import EVERYWHERE
from controlplane.domain.audit import Action
from controlplane.domain.delivery import Delivery, State
from controlplane.domain.errors import FieldError
from controlplane.domain.webhook import Webhook
from web.ui.present import Look

# What people most often want to be told; everything else can be typed.
USUAL: dict[str, str] = {
    Action.ROLLOUT_ROLL_BACK.value: "A rollback",
    Action.ROLLOUT_HOLD.value: "A rollout that is held",
    Action.ROLLOUT_ASK.value: "A stage that waits for an approval",
    Action.ROLLOUT_WOULD_ROLL_BACK.value: "A rollback that was only reported",
    Action.ROLLOUT_START.value: "A rollout that starts",
    Action.ROLLOUT_ADVANCE.value: "A rollout that advances",
    Action.ROLLOUT_COMPLETE.value: "A rollout that is complete",
    Action.FLAG_ENABLE.value: "A flag that is enabled",
    Action.FLAG_DISABLE.value: "A flag that is disabled",
}
BEGINS_WITH = (Action.ROLLOUT_ROLL_BACK.value, Action.ROLLOUT_HOLD.value, Action.ROLLOUT_ASK.value)
OVERLAPS = {"24": "24 hours", "168": "a week", "1": "an hour", "0": "not at all: it has leaked"}
_LOOKS = {
    State.DELIVERED: Look("check", "Delivered", "healthy"),
    State.FAILED: Look("alert", "Given up", "unhealthy"),
    State.DROPPED: Look("dash", "Not sent", ""),
}


def document(fields: Mapping[str, str], chosen: Mapping[str, Sequence[str]], *, enabled: bool) -> dict[str, Any]:
    """The webhook that the form describes; `chosen` are the boxes that are ticked, by their name."""
    actions = [*chosen.get("action", ()), *_listed(fields.get("actions", ""))]
    return {
        "name": fields.get("name", "").strip(),
        "url": fields.get("url", "").strip(),
        "environments": list(chosen.get("environment", ())),
        "flags": _listed(fields.get("flags", "")),
        "tags": _listed(fields.get("tags", "")),
        "actions": actions,
        "enabled": enabled,
    }


def fields_of(webhook: Webhook) -> dict[str, Any]:
    """A webhook as its form shows it."""
    wanted = webhook.wanted
    chosen = wanted.selection
    return {
        "name": wanted.name,
        "url": wanted.url,
        "environment": chosen.environments,
        "action": [each for each in chosen.actions if each in USUAL],
        "actions": ", ".join(each for each in chosen.actions if each not in USUAL),
        "flags": ", ".join(chosen.flags),
        "tags": ", ".join(chosen.tags),
    }


def starting_fields() -> dict[str, Any]:
    return {"environment": [EVERYWHERE], "action": BEGINS_WITH}


def shown_errors(errors: Sequence[FieldError]) -> dict[str, str]:
    """Errors by the name of the form's field: a list is one field here, so each names what it means."""
    shown: dict[str, str] = {}
    for error in errors:
        shown.setdefault(error.field.split(".")[0], error.message)
    return shown


def looks(delivery: Delivery) -> Look:
    """The chip of a delivery."""
    if delivery.state is State.PENDING:
        return Look("unsure", "Tried again", "inconclusive") if delivery.attempts else Look("clock", "On its way", "")
    return _LOOKS[delivery.state]


def fares(webhook: Webhook) -> Look:
    """The chip of a webhook."""
    if webhook.disabled_because:
        return Look("alert", "Disabled by itself", "unhealthy")
    if not webhook.wanted.enabled:
        return Look("off", "Disabled", "")
    if webhook.failing_since:
        return Look("unsure", "Failing", "inconclusive")
    return Look("check", "Enabled", "healthy")


def came_of_it(delivery: Delivery) -> str:
    """What the last attempt brought, in a few words."""
    outcome = delivery.outcome
    if outcome.error:
        return outcome.error
    return f"{outcome.status} in {outcome.milliseconds} ms" if outcome.status else ""


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
