"""Webhooks: rows ⇄ Webhook, and how far each environment's audit log was looked through for them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.domain.errors import NotFound
from controlplane.domain.webhook import Selection, Wanted, Webhook
from controlplane.store.tables import LARGEST_ID
from controlplane.store.webhook_tables import webhook_cursors, webhook_deliveries, webhooks

_LIVES = ("secret", "old_secret", "old_secret_until", "failing_since", "failures", "disabled_because")


class Webhooks:
    """Who is told of what happens in all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Webhook]:
        """By id."""
        return [_webhook(row) for row in self._connection.execute(select(webhooks).order_by(webhooks.c.id))]

    def any(self) -> bool:
        return self._connection.execute(select(webhooks.c.id).limit(1)).first() is not None

    def get(self, number: int, *, lock: bool = False) -> Webhook:
        """Raises NotFound."""
        query = select(webhooks).where(webhooks.c.id == min(number, LARGEST_ID))
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            message = f"there is no webhook {number}"
            raise NotFound(message)
        return _webhook(row)

    def add(self, new: Webhook) -> Webhook:
        """The webhook with its id; the id given is passed over."""
        values = {**_values(new), "created_at": new.created_at, "created_by": new.created_by}
        (number,) = self._connection.execute(insert(webhooks).values(values)).inserted_primary_key or (0,)
        return self.get(number)

    def save(self, webhook: Webhook) -> None:
        self._connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(_values(webhook)))

    def remove(self, number: int) -> None:
        """With its log."""
        self._connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == number))
        self._connection.execute(delete(webhooks).where(webhooks.c.id == number))

    def cursors(self) -> dict[int, int]:
        """Environment id → the last audit entry that was looked at."""
        rows = self._connection.execute(select(webhook_cursors))
        return {row.environment_id: row.entry for row in rows}

    def cursor(self, environment_id: int) -> int:
        """Locked: of those who look through the log one goes on. 0 for an environment that is new."""
        here = webhook_cursors.c.environment_id == environment_id
        found = self._connection.execute(select(webhook_cursors.c.entry).where(here).with_for_update()).scalar()
        if found is None:
            found = self._first(environment_id)
        return found

    def _first(self, environment_id: int) -> int:
        values = {"environment_id": environment_id, "entry": 0}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(webhook_cursors).values(values))
        except IntegrityError:  # another process was faster
            return self.cursor(environment_id)
        return 0

    def set_cursor(self, environment_id: int, entry: int) -> None:
        here = webhook_cursors.c.environment_id == environment_id
        self._connection.execute(update(webhook_cursors).where(here).values(entry=entry))

    def waiting(self) -> dict[int, tuple[int, datetime]]:
        """Webhook id → how many deliveries are to come, and since when the oldest of them is."""
        columns = webhook_deliveries.c
        query = select(columns.webhook_id, func.count(), func.min(columns.created_at)).where(columns.state == "pending")
        return {row[0]: (row[1], row[2]) for row in self._connection.execute(query.group_by(columns.webhook_id))}


def _values(webhook: Webhook) -> dict[str, Any]:
    wanted = webhook.wanted
    given = {"name": wanted.name, "url": wanted.url, "enabled": wanted.enabled, "selection": asdict(wanted.selection)}
    return {**given, **{name: getattr(webhook, name) for name in _LIVES}}


def _webhook(row: Row[Any]) -> Webhook:
    selection = Selection(**{name: tuple(values) for name, values in row.selection.items()})
    wanted = Wanted(row.name, row.url, selection, row.enabled)
    lives = {name: getattr(row, name) for name in _LIVES}
    return Webhook(id=row.id, wanted=wanted, created_at=row.created_at, created_by=row.created_by, **lives)
