"""Checklists as people write them, as they are stored and as they are answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from controlplane.documents.fields import Document, Name, Switch, Text, parse
from controlplane.domain.checklist import MOST_ITEMS, Checklist, Item, done, reopened
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.names import KEY, KEY_RULE

_TOLD = ("done_by", "done_at")  # answered, and passed over when it is sent back
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ItemDocument(Document):
    """One item; on an item that is there, fields left out keep what they were."""

    title: Title | None = None
    required: Switch | None = None
    owner: Name | None = None
    evidence: Text | None = None
    done: Switch | None = None


class ListedItemDocument(ItemDocument):
    id: str


class ChecklistDocument(Document):
    """The whole list: what is left out is open, unowned and required."""

    required: Switch = False
    tests_required: Switch = False
    criteria_required: Switch = False
    items: list[ListedItemDocument] = Field(max_length=MOST_ITEMS)


def parse_item(document: Mapping[str, Any]) -> ItemDocument:
    """Raises InvalidInput."""
    return parse(ItemDocument, _asked(document))


def parse_checklist(document: Mapping[str, Any], before: Checklist, by: str, at: datetime) -> Checklist:
    """A written list laid over the one in force, which knows who did what and when. Raises InvalidInput."""
    body = {name: value for name, value in document.items() if name not in ("version", "phase", "open")}
    if isinstance(body.get("items"), list):
        body["items"] = [_asked(each) if isinstance(each, Mapping) else each for each in body["items"]]
    written = parse(ChecklistDocument, body)
    items: dict[str, Item] = {}
    for number, each in enumerate(written.items):
        _check_id(f"items.{number}.id", each.id, items)
        known = before.item(each.id)
        bare = None if known is None else Item(known.title, done_by=known.done_by, done_at=known.done_at)
        items[each.id] = with_fields(bare, each, by, at, f"items.{number}", anew=True)
    switches = (written.required, written.tests_required, written.criteria_required)
    return Checklist(tuple(items.items()), *switches, version=before.version)


def _asked(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _TOLD}


def _check_id(field: str, name: str, known: Mapping[str, Item]) -> None:
    if not KEY.fullmatch(name):
        raise InvalidInput((FieldError(field, KEY_RULE),))
    if name in known:
        raise InvalidInput((FieldError(field, f"'{name}' is given twice"),))


def with_fields(
    item: Item | None, given: ItemDocument, by: str, at: datetime, path: str = "", *, anew: bool = False
) -> Item:
    """The item with the fields that were given; `anew` also ticks it off or opens it where `done` is left out."""
    title = given.title or (item.title if item else None)
    if title is None:
        raise InvalidInput((FieldError(f"{path}.title".strip("."), "is missing"),))
    base = item or Item(title)
    changed = Item(
        title,
        base.required if given.required is None else given.required,
        base.owner if given.owner is None else given.owner,
        base.evidence if given.evidence is None else given.evidence,
        base.done_by,
        base.done_at,
    )
    if given.done is None:
        return reopened(changed) if anew else changed
    return done(changed, by, at) if given.done else reopened(changed)


def item_document(item: Item) -> dict[str, Any]:
    return {
        "title": item.title,
        "required": item.required,
        "owner": item.owner,
        "evidence": item.evidence,
        "done": not item.is_open,
        "done_by": item.done_by or None,
        "done_at": item.done_at.isoformat() if item.done_at else None,
    }


def checklist_document(checklist: Checklist) -> dict[str, Any]:
    """By item, so that what changed in one of them can be told field by field."""
    return {
        "required": checklist.required,
        "tests_required": checklist.tests_required,
        "criteria_required": checklist.criteria_required,
        "items": {name: item_document(item) for name, item in checklist.items},
    }


def listed_document(checklist: Checklist) -> dict[str, Any]:
    """As it is answered: the items in their order."""
    document = checklist_document(checklist)
    return {**document, "items": [{"id": name, **each} for name, each in document["items"].items()]}


def stored_checklist(document: Mapping[str, Any], version: int) -> Checklist:
    """What `listed_document` wrote."""
    items = tuple((each["id"], _stored_item(each)) for each in document["items"])
    switches = (document["required"], document["tests_required"], document.get("criteria_required", False))
    return Checklist(items, *switches, version=version)


def _stored_item(document: Mapping[str, Any]) -> Item:
    at = document["done_at"]
    return Item(
        document["title"],
        document["required"],
        document["owner"],
        document["evidence"],
        document["done_by"] or "",
        datetime.fromisoformat(at) if at else None,
    )
