"""Delivery: one event on its way to one webhook, and when it is tried again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# After 5 s, 30 s, 2 min, 10 min, 30 min, then 2 to 24 hours: twelve attempts over three days.
WAITS = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MOST_ATTEMPTS = len(WAITS) + 1
HOLDS_UP = 2  # failed attempts after which an event no longer keeps those behind it waiting
JITTER = 0.1  # of a wait, at most, is added: endpoints that failed together are not tried together
LONGEST_WAIT = timedelta(seconds=WAITS[-1])


class State(StrEnum):
    """`dropped` was given up without a verdict: its webhook was disabled, or the database restored."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `status` None: no answer came, and `error` says why.

    `answer` is the beginning of the body; `retry_after` what the endpoint asks for.
    """

    status: int | None = None
    answer: str = ""
    error: str = ""
    milliseconds: int = 0
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """What was wrong."""
        if self.error:
            return self.error
        moved = ", and redirects are not followed" if self.status is not None and 300 <= self.status < 400 else ""
        return f"it answered {self.status}{moved}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`event` is the webhook-id, the same at each attempt and each redelivery; `entry` the audit entry it tells.

    `next_at` None: no attempt is to come.
    """

    id: int
    webhook: int
    environment: str
    entry: int
    event: str
    action: str
    flag: str | None
    created_at: datetime
    state: State = State.PENDING
    attempts: int = 0
    next_at: datetime | None = None
    last_at: datetime | None = None
    outcome: Outcome = Outcome()

    def is_due(self, now: datetime) -> bool:
        return self.state is State.PENDING and self.next_at is not None and self.next_at <= now

    @property
    def holds_up(self) -> bool:
        """A short failure of an endpoint must not mix up the order; a long one must not keep everything back."""
        return self.state is State.PENDING and 1 <= self.attempts <= HOLDS_UP


def next_up(pending: Iterable[Delivery], now: datetime) -> Delivery | None:
    """Of one webhook's deliveries in their order, the one to try now."""
    found = next((each for each in pending if each.is_due(now) or each.holds_up), None)
    return found if found and found.is_due(now) else None


def attempted(delivery: Delivery, outcome: Outcome, now: datetime, chance: float) -> Delivery:
    """The delivery after an attempt. `chance` from 0 to 1 spreads the retries."""
    after = replace(delivery, attempts=delivery.attempts + 1, last_at=now, outcome=outcome, next_at=None)
    if outcome.is_success:
        return replace(after, state=State.DELIVERED)
    if after.attempts >= MOST_ATTEMPTS:
        return replace(after, state=State.FAILED)
    return replace(after, next_at=now + wait_after(after.attempts, chance, outcome.retry_after))


def wait_after(attempts: int, chance: float, retry_after: timedelta | None = None) -> timedelta:
    """How long to wait after so many failed attempts, from 1 on; longer if the endpoint asks for it, up to a day."""
    planned = timedelta(seconds=WAITS[min(attempts, len(WAITS)) - 1] * (1 + JITTER * chance))
    return max(planned, min(retry_after or timedelta(), LONGEST_WAIT))


def event_id(source: str, entry: int) -> str:
    """Made of what an event is, so that telling it twice cannot give it two names."""
    return f"evt_{source}_{entry}"
