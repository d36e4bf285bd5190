"""Journal: reports as they arrived, one row per group commit, until they are folded into buckets."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from controlplane.store.tables import journal


@dataclass(frozen=True, slots=True)
class JournalRow:
    """`body` is the encoded list of reports that one commit made durable."""

    id: int
    environment_id: int
    received_at: datetime
    body: bytes


class Journal:
    """Append, read in order, and drop what was folded."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, environment_id: int, received_at: datetime, body: bytes) -> None:
        values = {"environment_id": environment_id, "received_at": received_at, "body": body}
        self._connection.execute(insert(journal).values(values))

    def oldest(self, limit: int) -> list[JournalRow]:
        rows = self._connection.execute(select(journal).order_by(journal.c.id).limit(limit))
        return [JournalRow(row.id, row.environment_id, row.received_at, bytes(row.body)) for row in rows]

    def drop(self, rows: list[JournalRow]) -> None:
        """By id, not by range: on PostgreSQL a smaller id may commit after a larger one."""
        self._connection.execute(delete(journal).where(journal.c.id.in_([row.id for row in rows])))

    def size(self) -> int:
        return self._connection.execute(select(func.count()).select_from(journal)).scalar_one()
