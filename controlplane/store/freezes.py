"""Freezes: rows ⇄ Freeze."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from controlplane.domain.calendar import Freeze
from controlplane.domain.errors import NotFound
from controlplane.store.tables import LARGEST_ID, freezes


class Freezes:
    """The freezes of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, environment_id: int) -> tuple[Freeze, ...]:
        """By their beginning, those that are over included."""
        query = select(freezes).where(freezes.c.environment_id == environment_id)
        rows = self._connection.execute(query.order_by(freezes.c.starts_at, freezes.c.id))
        return tuple(_freeze(row) for row in rows)

    def get(self, environment_id: int, number: int) -> Freeze:
        """Raises NotFound."""
        query = select(freezes).where(freezes.c.environment_id == environment_id, freezes.c.id == number)
        row = self._connection.execute(query).one_or_none() if number <= LARGEST_ID else None
        if row is None:
            message = f"there is no freeze {number} in this environment"
            raise NotFound(message)
        return _freeze(row)

    def add(self, environment_id: int, freeze: Freeze) -> Freeze:
        values = {"name": freeze.name, "starts_at": freeze.starts_at, "ends_at": freeze.ends_at}
        result = self._connection.execute(insert(freezes).values(environment_id=environment_id, **values))
        (number,) = result.inserted_primary_key or (0,)
        return self.get(environment_id, number)

    def remove(self, environment_id: int, number: int) -> None:
        self._connection.execute(
            delete(freezes).where(freezes.c.environment_id == environment_id, freezes.c.id == number)
        )


def _freeze(row: Row[Any]) -> Freeze:
    return Freeze(row.name, row.starts_at, row.ends_at, row.id)
