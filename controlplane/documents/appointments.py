"""Appointments and freezes as people write them, and as they are answered."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from controlplane.documents.fields import Document, Instant, Name, Percent, Text, parse
from controlplane.domain import share
from controlplane.domain.appointment import Appointment, Deed, Wish
from controlplane.domain.calendar import Freeze
from controlplane.domain.errors import FieldError, InvalidInput


class AppointmentDocument(Document):
    at: Instant
    deed: Deed
    operation: Name | None = None
    percent: Percent | None = None
    reason: Text = ""


class FreezeDocument(Document):
    name: Name
    starts_at: Instant
    ends_at: Instant


def parse_wish(document: Mapping[str, Any]) -> Wish:
    """Raises InvalidInput, also for a field that the deed has no use for."""
    given = parse(AppointmentDocument, document)
    needed = {Deed.PERCENT: ("operation", "percent"), Deed.ROLLBACK: ("operation",)}.get(given.deed, ())
    errors = [
        FieldError(name, f"means nothing for {given.deed}: leave it out")
        for name in ("operation", "percent")
        if getattr(given, name) is not None and name not in needed
    ]
    if given.deed is Deed.PERCENT:
        errors += [FieldError(name, "is missing") for name in needed if getattr(given, name) is None]
    if errors:
        raise InvalidInput(tuple(errors))
    buckets = None if given.percent is None else share.from_percent(given.percent)
    return Wish(given.deed, given.at, given.operation, buckets, given.reason)


def parse_freeze(document: Mapping[str, Any]) -> Freeze:
    """Raises InvalidInput."""
    given = parse(FreezeDocument, document)
    if not given.name.strip():
        raise InvalidInput((FieldError("name", "is empty: say why nothing moves, such as Christmas"),))
    if given.ends_at <= given.starts_at:
        raise InvalidInput((FieldError("ends_at", "must be after starts_at"),))
    return Freeze(given.name.strip(), given.starts_at, given.ends_at)


def appointment_document(appointment: Appointment) -> dict[str, Any]:
    wish = appointment.wish
    return {
        "id": appointment.id,
        "flag": appointment.flag,
        "at": _text(wish.at),
        "deed": wish.deed.value,
        "operation": wish.operation,
        "percent": None if wish.share is None else share.to_percent(wish.share),
        "reason": wish.reason,
        "made_by": appointment.made_by,
        "made_at": _text(appointment.made_at),
        "over_at": _text(appointment.over_at) if appointment.over_at else None,
        "outcome": appointment.outcome,
    }


def freeze_document(freeze: Freeze) -> dict[str, Any]:
    return {
        "id": freeze.id,
        "name": freeze.name,
        "starts_at": _text(freeze.starts_at),
        "ends_at": _text(freeze.ends_at),
    }


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
