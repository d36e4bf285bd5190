"""What is asked of a backtest, and what it answers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from controlplane.documents.fields import Document, Whole
from controlplane.documents.guardrails import GuardrailsDocument
from controlplane.domain import evidence
from controlplane.domain.backtest import Event


def _aware(instant: datetime | None) -> datetime | None:
    if instant is not None and (instant.tzinfo is None or not 1971 <= instant.year <= 9000):
        message = "must be an instant like 2026-01-31T12:00:00Z"
        raise ValueError(message)
    return instant


Instant = Annotated[datetime | None, AfterValidator(_aware)]


class BacktestDocument(Document):
    """`attempt` null is the newest one; `since` and `until` null reach over all of it."""

    guardrails: GuardrailsDocument
    attempt: Whole | None = Field(default=None, ge=1, le=2**31 - 1)
    since: Instant = None
    until: Instant = None


def event_document(event: Event) -> dict[str, Any]:
    finding = event.finding
    return {
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "sentence": event.sentence,
        "operation": finding.operation if finding else None,
        "guardrail": finding.guardrail if finding else None,
        "log_evidence": event.log_evidence,
        "one_in": evidence.one_in(event.log_evidence),
    }
