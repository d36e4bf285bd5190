"""What kinds of failure are there, how bad is each, and what may be done after it? Facts only.

The nine oldest categories, their severities and their strategies are those of DSPex's pool error handler (which
calls `application` `python_error`), so that a service that moves away from it finds its errors where they were.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Category(StrEnum):
    """What went wrong."""

    CONNECTION = "connection"
    COMMUNICATION = "communication"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    SESSION = "session"
    VALIDATION = "validation"
    INITIALIZATION = "initialization"
    APPLICATION = "application"
    HEALTH_CHECK = "health_check"
    SYSTEM = "system"
    CANCELLED = "cancelled"


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


class Strategy(StrEnum):
    """What usually helps. `Delivery` and the operation's kind have the last word on whether it is allowed."""

    IMMEDIATE_RETRY = "immediate_retry"
    BACKOFF_RETRY = "backoff_retry"
    CIRCUIT_BREAK = "circuit_break"
    FAILOVER = "failover"
    ABANDON = "abandon"
    RERAISE = "reraise"


class Delivery(StrEnum):
    """How far the call got. Only proof counts: whatever is not proven is `UNKNOWN`."""

    NOT_SENT = "not_sent"  # the backend never saw it
    REJECTED = "rejected"  # the backend saw it, answered, and did not do it
    UNKNOWN = "unknown"  # it may have been done
    APPLIED = "applied"  # it was done, and the answer could not be read


class ErrorInfo(NamedTuple):
    """What is to be known about one failed call.

    `countable`: says something about the backend's health, so a breaker counts it. `retryable`: the same backend may
    answer another attempt differently. `retry_after`: seconds that the backend asked us to wait. `because`: the
    evidence, for people.
    """

    category: Category
    severity: Severity
    strategy: Strategy
    delivery: Delivery
    countable: bool
    retryable: bool
    retry_after: float | None = None
    because: str = ""


def _row(  # one line of the table below
    category: Category, severity: Severity, strategy: Strategy, delivery: Delivery, *, retryable: bool = False
) -> tuple[Category, ErrorInfo]:
    countable = category not in {Category.VALIDATION, Category.CANCELLED}
    return category, ErrorInfo(category, severity, strategy, delivery, countable, retryable)


BY_CATEGORY: Mapping[Category, ErrorInfo] = dict(
    (
        _row(Category.CONNECTION, Severity.MAJOR, Strategy.BACKOFF_RETRY, Delivery.NOT_SENT, retryable=True),
        _row(Category.COMMUNICATION, Severity.MAJOR, Strategy.IMMEDIATE_RETRY, Delivery.UNKNOWN, retryable=True),
        _row(Category.TIMEOUT, Severity.MAJOR, Strategy.BACKOFF_RETRY, Delivery.UNKNOWN, retryable=True),
        _row(Category.RESOURCE, Severity.CRITICAL, Strategy.CIRCUIT_BREAK, Delivery.UNKNOWN, retryable=True),
        _row(Category.THROTTLED, Severity.MINOR, Strategy.BACKOFF_RETRY, Delivery.REJECTED, retryable=True),
        _row(Category.CONFLICT, Severity.MINOR, Strategy.BACKOFF_RETRY, Delivery.REJECTED, retryable=True),
        _row(Category.SESSION, Severity.MINOR, Strategy.IMMEDIATE_RETRY, Delivery.REJECTED, retryable=True),
        _row(Category.VALIDATION, Severity.WARNING, Strategy.ABANDON, Delivery.REJECTED),
        _row(Category.INITIALIZATION, Severity.CRITICAL, Strategy.CIRCUIT_BREAK, Delivery.NOT_SENT),
        _row(Category.APPLICATION, Severity.MAJOR, Strategy.FAILOVER, Delivery.UNKNOWN),
        _row(Category.HEALTH_CHECK, Severity.MINOR, Strategy.BACKOFF_RETRY, Delivery.NOT_SENT, retryable=True),
        _row(Category.SYSTEM, Severity.CRITICAL, Strategy.ABANDON, Delivery.UNKNOWN),
        _row(Category.CANCELLED, Severity.WARNING, Strategy.RERAISE, Delivery.UNKNOWN),
    )
)
