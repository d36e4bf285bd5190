"""Deliveries: rows ⇄ Delivery. What is over stays for a while, for people to read and to send again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from controlplane.domain.delivery import HOLDS_UP, Delivery, Outcome, State
from controlplane.domain.errors import NotFound
from controlplane.store.tables import LARGEST_SERIAL, environments
from controlplane.store.webhook_tables import webhook_deliveries as deliveries
from controlplane.store.webhook_tables import webhooks

_PLAIN = ("id", "entry", "event", "action", "flag", "created_at", "attempts", "next_at", "last_at")
_PENDING = deliveries.c.state == State.PENDING.value


class Deliveries:
    """What is on its way to the webhooks, and what became of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, environment_id: int, new: Iterable[Delivery]) -> None:
        """Each gets its id in the order given."""
        rows = [_values(each) | {"environment_id": environment_id, **_identity(each)} for each in new]
        for row in rows:
            self._connection.execute(insert(deliveries).values(row))

    def newest(
        self, webhook: int, limit: int, *, state: State | None = None, before: int | None = None
    ) -> list[Delivery]:
        """From the newest backwards."""
        query = _select().where(deliveries.c.webhook_id == webhook)
        if state:
            query = query.where(deliveries.c.state == state.value)
        if before is not None:
            query = query.where(deliveries.c.id < before)
        rows = self._connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit))
        return [_delivery(row) for row in rows]

    def get(self, webhook: int, number: int) -> Delivery:
        """Raises NotFound."""
        query = _select().where(deliveries.c.webhook_id == webhook, deliveries.c.id == min(number, LARGEST_SERIAL))
        row = self._connection.execute(query).one_or_none()
        if row is None:
            message = f"webhook {webhook} has no delivery {number}: it may be older than the log is kept"
            raise NotFound(message)
        return _delivery(row)

    def due(self, now: datetime) -> list[int]:
        """The enabled webhooks that something is to be sent to."""
        query = select(deliveries.c.webhook_id).join(webhooks).where(_PENDING, webhooks.c.enabled)
        return [each for (each,) in self._connection.execute(query.where(deliveries.c.next_at <= now).distinct())]

    def first(self, webhook: int, now: datetime) -> Sequence[Delivery]:
        """The first pending one that is due or holds up those behind it: what `next_up` decides on."""
        held_up = deliveries.c.attempts.between(1, HOLDS_UP)
        query = _select().where(_PENDING, deliveries.c.webhook_id == webhook, or_(deliveries.c.next_at <= now, held_up))
        return [_delivery(row) for row in self._connection.execute(query.order_by(deliveries.c.id).limit(1))]

    def save(self, before: Delivery, after: Delivery) -> bool:
        """Whether it still was as it was read: somebody may have dropped or removed it meanwhile."""
        same = (deliveries.c.id == before.id) & _PENDING & (deliveries.c.attempts == before.attempts)
        return self._connection.execute(update(deliveries).where(same).values(_values(after))).rowcount == 1

    def drop(self, because: str, webhook: int | None = None) -> None:
        """What is to come, of one webhook or of all, is not sent."""
        chosen = _PENDING if webhook is None else _PENDING & (deliveries.c.webhook_id == webhook)
        values = {"state": State.DROPPED.value, "next_at": None, "error": because}
        self._connection.execute(update(deliveries).where(chosen).values(values))

    def forget(self, until: datetime) -> int:
        """Remove what was over before an instant; how many."""
        old = (deliveries.c.created_at < until) & ~_PENDING
        return self._connection.execute(delete(deliveries).where(old)).rowcount


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's Select of a join
    joined = deliveries.join(environments, environments.c.id == deliveries.c.environment_id)
    return select(deliveries, environments.c.name.label("environment")).select_from(joined)


def _identity(new: Delivery) -> dict[str, Any]:
    names = ("entry", "event", "action", "flag", "created_at")
    return {"webhook_id": new.webhook, **{name: getattr(new, name) for name in names}}


def _values(delivery: Delivery) -> dict[str, Any]:
    outcome = delivery.outcome
    told = {name: getattr(outcome, name) for name in ("status", "answer", "error", "milliseconds")}
    lives = {name: getattr(delivery, name) for name in ("attempts", "next_at", "last_at")}
    return {"state": delivery.state.value, **lives, **told}


def _delivery(row: Row[Any]) -> Delivery:
    outcome = Outcome(row.status, row.answer, row.error, row.milliseconds)
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Delivery(
        webhook=row.webhook_id, environment=row.environment, state=State(row.state), outcome=outcome, **plain
    )
