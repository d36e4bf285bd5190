"""What each management route takes and gives: the part of its description that its address does not show."""

from dataclasses import dataclass
from enum import StrEnum


class Version(StrEnum):
    """What a route makes of If-Match."""

    IGNORED = "ignored"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Door:
    """`takes` and `gives` name schemas; `query` names parameters. `partial`: each field may be left out."""

    gives: str
    takes: str | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    version: Version = Version.IGNORED
    partial: bool = False


_SPAN = ("since", "until")
_LOG = ("actor", "action", *_SPAN, "before", "limit", "format")
_REQUIRED = Version.REQUIRED

DOORS: dict[str, Door] = {
    "api.description.openapi": Door("Object"),
    "api.environments.list_all": Door("Environments"),
    "api.environments.create": Door("Environment", "EnvironmentDocument", 201, ("reason",)),
    "api.environments.show": Door("Environment"),
    "api.environments.change": Door("Environment", "EnvironmentPatch", query=("reason",)),
    "api.flags.list_all": Door("List", query=("search", "tag", "flag_kind", "archived", "limit", "after")),
    "api.flags.create": Door("Flag", "AnyFlag", 201, ("reason",)),
    "api.flags.show": Door("Flag"),
    "api.flags.replace": Door("Flag", "AnyFlag", query=("reason",), version=_REQUIRED),
    "api.flags.patch": Door("Flag", "AnyFlag", query=("reason",), version=_REQUIRED, partial=True),
    "api.flags.archive": Door("Flag", query=("reason",), version=_REQUIRED),
    "api.flags.enable": Door("Flag", "ReasonDocument", version=Version.OPTIONAL),
    "api.flags.disable": Door("Flag", "ReasonDocument"),
    "api.definitions.set_operation": Door("Flag", "OperationDocument", query=("reason",), version=_REQUIRED),
    "api.definitions.remove_operation": Door("Flag", query=("reason",), version=_REQUIRED),
    "api.definitions.set_guardrails": Door("Flag", "GuardrailsDocument", query=("reason",), version=_REQUIRED),
    "api.definitions.set_targeting": Door("Flag", "Targeting", query=("reason",), version=_REQUIRED),
    "api.definitions.set_plan": Door("Flag", "PlanDocument", query=("reason",), version=_REQUIRED),
    "api.definitions.copy_plan": Door("Flag", "CopyPlanDocument", version=_REQUIRED),
    "api.definitions.revert": Door("Flag", "RevertDocument", version=_REQUIRED),
    "api.rollouts.start": Door("Flag", "StartDocument", version=Version.OPTIONAL),
    "api.rollouts.finish": Door("Flag", "FinishDocument", version=Version.OPTIONAL),
    "api.rollouts.act": Door("Flag", "ActDocument", version=Version.OPTIONAL),
    "api.rollouts.reconciled": Door("Flag", "ReconciledDocument"),
    "api.appointments.list_all": Door("Appointments"),
    "api.appointments.make": Door("Appointment", "AppointmentDocument", 201),
    "api.appointments.cancel": Door("Appointment", query=("reason",)),
    "api.freezes.list_all": Door("Freezes"),
    "api.freezes.add": Door("Freeze", "FreezeDocument", 201, ("reason",)),
    "api.freezes.remove": Door("Freeze", query=("reason",)),
    "api.plan_templates.list_all": Door("List"),
    "api.forecast.show": Door("Object"),
    "api.forecast.try_plan": Door("Object", "PlanDocument"),
    "api.health.show": Door("Health", query=("range", *_SPAN)),
    "api.backtest.run": Door("Backtest", "BacktestDocument"),
    "api.evidence.show": Door("Evidence", query=("attempt", "at", *_SPAN)),
    "api.attachments.list_all": Door("Attachments", query=("limit",)),
    "api.attachments.attach": Door("Attachment", "AttachmentDocument", 201, ("reason",)),
    "api.finish.show": Door("Object"),
    "api.finish.stale": Door("List"),
    "api.criteria.show": Door("Criteria"),
    "api.criteria.report": Door("Criteria", query=("report_format",)),
    "api.checklists.show": Door("Checklist"),
    "api.checklists.replace": Door("Checklist", "ChecklistDocument", query=("reason",), version=_REQUIRED),
    "api.checklists.set_item": Door("Checklist", "ItemDocument", query=("reason",), version=_REQUIRED),
    "api.checklists.remove_item": Door("Checklist", query=("reason",), version=_REQUIRED),
    "api.instances.list_all": Door("List"),
    "api.instances.convergence": Door("Object"),
    "api.routing.decision": Door("Decision", query=("operation", "key", "attributes")),
    "api.routing.mismatches": Door("List", query=("operation", "limit")),
    "api.routing.receipts": Door("List", query=("operation", "limit")),
    "api.snapshot.show": Door("Object"),
    "api.audit.list_all": Door("Entries", query=("flag", "text", *_LOG)),
    "api.audit.verify": Door("Verification"),
    "api.audit.history": Door("Entries", query=_LOG),
    "api.tokens.list_all": Door("Tokens"),
    "api.tokens.create": Door("NewToken", "TokenDocument", 201, ("reason",)),
    "api.tokens.revoke": Door("Token", query=("reason",)),
    "api.webhooks.list_all": Door("Webhooks"),
    "api.webhooks.create": Door("NewWebhook", "WebhookDocument", 201, ("reason",)),
    "api.webhooks.show": Door("Webhook"),
    "api.webhooks.replace": Door("Webhook", "WebhookDocument", query=("reason",)),
    "api.webhooks.delete": Door("Webhook", query=("reason",)),
    "api.webhooks.rotate": Door("NewWebhook", "RotateDocument", query=("reason",)),
    "api.webhooks.test": Door("Delivery", status=201, query=("reason",)),
    "api.webhooks.deliveries": Door("Deliveries", query=("delivery_state", "before", "limit")),
    "api.webhooks.delivery": Door("Delivery"),
    "api.webhooks.redeliver": Door("Delivery", status=201, query=("reason",)),
    "api.people.list_all": Door("People"),
    "api.people.add": Door("Person", "PersonDocument", 201, ("reason",)),
    "api.people.set_role": Door("Person", "RoleDocument", query=("reason",)),
    "api.people.disable": Door("Person", "ReasonDocument"),
    "api.people.enable": Door("Person", "ReasonDocument"),
    "api.people.create_link": Door("Link", status=201),
}

PARAMETERS: dict[str, dict[str, object]] = {
    "search": {"type": "string", "description": "part of a key, description, owner or tag"},
    "tag": {"type": "string"},
    "flag_kind": {"name": "kind", "enum": ["migration", "feature"], "description": "flags of this kind alone"},
    "archived": {"type": "string", "enum": ["true", "false"], "description": "also archived flags"},
    "attempt": {"type": "integer", "minimum": 1, "description": "the newest one by default"},
    "at": {"type": "string", "description": "an audit entry's id, or an instant"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 500},
    "after": {"type": "string", "description": "`next` of the page before"},
    "before": {"type": "integer", "minimum": 1, "description": "`next` of the page before"},
    "range": {"enum": ["15m", "1h", "6h", "24h", "7d", "30d"], "description": "how far back; the shortest by default"},
    "since": {"type": "string", "format": "date-time"},
    "until": {"type": "string", "format": "date-time"},
    "actor": {"type": "string", "description": "the actor's name"},
    "action": {"type": "string", "description": "such as `rollout:roll_back`"},
    "flag": {"type": "string"},
    "text": {"type": "string", "description": "part of a reason or of a change"},
    "operation": {"type": "string", "description": "this operation alone"},
    "key": {"type": "string", "description": "left out: a call without a key"},
    "attributes": {"type": "string", "description": "a JSON object, or lines like `tenant=acme`"},
    "format": {"type": "string", "enum": ["json", "csv"]},
    "delivery_state": {"name": "state", "enum": ["pending", "delivered", "failed", "dropped"]},
    "report_format": {"name": "format", "type": "string", "enum": ["json", "html"]},
    "reason": {"type": "string", "maxLength": 2000, "description": "why, for the audit log"},
}
