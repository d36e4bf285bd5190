"""Counters: named numbers that only grow."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.store.tables import counters


class Counters:
    """What happened how often; a counter that nobody raised is 0."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> int:
        return (
            self._connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none() or 0
        )

    def add(self, name: str, amount: int = 1) -> None:
        raised = update(counters).where(counters.c.name == name).values(value=counters.c.value + amount)
        if self._connection.execute(raised).rowcount:
            return
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(counters).values(name=name, value=amount))
        except IntegrityError:  # another process counted this for the first time in the same moment
            self._connection.execute(raised)

    def starting_with(self, prefix: str) -> dict[str, int]:
        rows = self._connection.execute(select(counters).where(counters.c.name.startswith(prefix, autoescape=True)))
        return {row.name: row.value for row in rows}
