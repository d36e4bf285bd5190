"""What the doors of access, calendar and audit answer, field by field: here nothing comes that is not named."""

from controlplane.domain.access import Role, TokenKind
from controlplane.domain.appointment import Deed
from controlplane.domain.audit import Action, ActorKind
from controlplane.domain.delivery import State

Shape = dict[str, object]

_TEXT: Shape = {"type": "string"}
_WORDS: Shape = {"type": ["string", "null"]}
_NUMBER: Shape = {"type": "integer"}
_ANYTHING: Shape = {}
_SWITCH: Shape = {"type": "boolean"}
_INSTANT: Shape = {"type": "string", "format": "date-time"}
_PERHAPS: Shape = {"type": ["string", "null"], "format": "date-time"}
_ROLES = [each.value for each in Role]
_ROLE: Shape = {"enum": _ROLES}


def _whole(optional: tuple[str, ...] = (), /, **fields: Shape) -> Shape:
    """An object with these fields and no others; all are there, but for the optional ones."""
    required = [name for name in fields if name not in optional]
    return {"type": "object", "required": required, "properties": fields, "additionalProperties": False}


def _list_of(name: str) -> Shape:
    items: Shape = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    return _whole(items=items, next={"type": ["string", "integer", "null"]})


_TOKEN: dict[str, Shape] = {
    "id": _NUMBER,
    "kind": {"enum": [each.value for each in TokenKind]},
    "name": _TEXT,
    "environment": {"type": ["string", "null"], "description": "null: every environment"},
    "role": {"enum": [*_ROLES, None]},
    "owner": {"type": ["string", "null"], "description": "whose own it is, and in whose name it acts"},
    "hint": {"type": "string", "description": "the last characters of the secret"},
    "created_at": _INSTANT,
    "created_by": _TEXT,
    **dict.fromkeys(("expires_at", "last_used_at", "revoked_at"), _PERHAPS),
}
_ONCE: Shape = {"type": "string", "description": "shown this once"}
_ACTOR = _whole(
    ("via",),
    kind={"enum": [each.value for each in ActorKind]},
    name=_TEXT,
    via={"type": "string", "description": "the own token by which a person acted"},
)
_BREAK = {**_whole(entry=_NUMBER, because=_TEXT), "type": ["object", "null"]}

_NAMES: Shape = {"type": "array", "items": _TEXT}
_WEBHOOK: dict[str, Shape] = {
    "id": _NUMBER,
    "name": _TEXT,
    "url": _TEXT,
    **dict.fromkeys(("environments", "flags", "tags", "actions"), _NAMES),
    "enabled": _SWITCH,
    "disabled_because": {**_WORDS, "description": "null unless it was disabled by itself"},
    "failures": {"type": "integer", "description": "in a row"},
    **dict.fromkeys(("failing_since", "old_secret_until"), _PERHAPS),
    "created_at": _INSTANT,
    "created_by": _TEXT,
}

_ENTRY: dict[str, Shape] = {
    "id": _NUMBER,
    "at": _INSTANT,
    "actor": _ACTOR,
    "action": {"enum": [each.value for each in Action]},
    "flag": _WORDS,
    "reason": _TEXT,
    "changes": {"type": "array", "items": _whole(path=_TEXT, **dict.fromkeys(("from", "to"), _ANYTHING))},
    "version": {"type": ["integer", "null"], "description": "of the flag"},
    "request_id": _TEXT,
    "record": {"type": "object", "description": "what an automatic change was decided on"},
    "previous": _TEXT,
    "hash": _TEXT,
}
_EVENT: dict[str, Shape] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "description": "the webhook-id, the same at each attempt"},
    "source": {"type": "string", "description": "such as /environments/production"},
    "type": {"enum": [f"throwbar.{each.value.replace(':', '.')}" for each in Action]},
    "subject": {"type": "string", "description": "the flag's key, where it is about a flag"},
    "time": _INSTANT,
    "datacontenttype": {"const": "application/json"},
    "data": {**_whole(environment=_TEXT, **_ENTRY), "additionalProperties": True},
}

SHAPES: dict[str, Shape] = {
    "Token": _whole(**_TOKEN),
    "NewToken": _whole(**_TOKEN, secret=_ONCE),
    "Tokens": _list_of("Token"),
    "Webhook": _whole(**_WEBHOOK),
    "NewWebhook": _whole(**_WEBHOOK, secret=_ONCE),
    "Webhooks": _list_of("Webhook"),
    "Delivery": _whole(
        id=_NUMBER,
        event={"type": "string", "description": "the webhook-id, the same at each attempt"},
        environment=_TEXT,
        entry={"type": "integer", "description": "of the audit log"},
        action={"enum": [each.value for each in Action]},
        flag=_WORDS,
        state={"enum": [each.value for each in State]},
        attempts=_NUMBER,
        created_at=_INSTANT,
        last_at=_PERHAPS,
        next_at={**_PERHAPS, "description": "null: no attempt is to come"},
        status={"type": ["integer", "null"], "description": "null: no answer came"},
        answer={"type": "string", "description": "the beginning of the body"},
        error=_TEXT,
        milliseconds=_NUMBER,
    ),
    "Deliveries": _list_of("Delivery"),
    "Person": _whole(
        id=_NUMBER,
        email=_TEXT,
        roles={"type": "object", "additionalProperties": _ROLE, "description": "by environment; `*` is all of them"},
        has_password=_SWITCH,
        created_at=_INSTANT,
        disabled_at=_PERHAPS,
    ),
    "People": _list_of("Person"),
    "Link": _whole(email=_TEXT, secret=_ONCE),
    "Environment": _whole(
        name=_TEXT,
        version={"type": "integer", "description": "of the snapshot"},
        flags=_NUMBER,
        require_reason=_SWITCH,
        created_at=_INSTANT,
    ),
    "Environments": _list_of("Environment"),
    "Freeze": _whole(id=_NUMBER, name=_TEXT, starts_at=_INSTANT, ends_at=_INSTANT),
    "Freezes": _list_of("Freeze"),
    "Appointment": _whole(
        id=_NUMBER,
        flag=_TEXT,
        at=_INSTANT,
        deed={"enum": [each.value for each in Deed]},
        operation=_WORDS,
        percent={"type": ["number", "null"]},
        reason=_TEXT,
        made_by=_TEXT,
        made_at=_INSTANT,
        over_at=_PERHAPS,
        outcome={"type": ["string", "null"], "description": "null as long as it is to come"},
    ),
    "Appointments": _list_of("Appointment"),
    "Entry": _whole(**_ENTRY),
    "Event": {**_whole(("subject",), **_EVENT), "additionalProperties": True},
    "Entries": _list_of("Entry"),
    "Verification": _whole(environment=_TEXT, length=_NUMBER, head=_TEXT, broken=_BREAK),
    "Attachment": _whole(
        id=_NUMBER,
        suite=_TEXT,
        result={"enum": ["passed", "failed"]},
        commit=_TEXT,
        link=_TEXT,
        notes=_TEXT,
        by=_TEXT,
        at=_INSTANT,
    ),
    "Attachments": _list_of("Attachment"),
}
