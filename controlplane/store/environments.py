"""Environments: the rows that give out snapshot versions and hold the head of the audit chain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.domain.audit import GENESIS
from controlplane.domain.errors import AlreadyExists, NotFound
from controlplane.store.tables import environments


@dataclass(frozen=True, slots=True)
class Environment:
    """`version` is the snapshot's; `source` changes only when a database is restored."""

    id: int
    name: str
    source: str
    version: int
    audit_length: int
    audit_head: str
    created_at: datetime
    require_reason: bool = False


class Environments:
    """Reading, adding and counting up environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str, *, lock: bool = False) -> Environment:
        """Raises NotFound. `lock` makes the changes of one environment wait for each other; each begins with it."""
        query = select(environments).where(environments.c.name == name)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            message = f"there is no environment '{name}'"
            raise NotFound(message)
        return _environment(row)

    def all(self) -> list[Environment]:
        rows = self._connection.execute(select(environments).order_by(environments.c.id))
        return [_environment(row) for row in rows]

    def add(self, name: str, source: str, now: datetime) -> Environment:
        """Raises AlreadyExists, also when another process was faster in this moment."""
        values = {
            "name": name,
            "source": source,
            "version": 1,
            "audit_length": 0,
            "audit_head": GENESIS,
            "created_at": now,
        }
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(environments).values(values))
        except IntegrityError:
            message = f"environment '{name}' exists already"
            raise AlreadyExists(message) from None
        return self.get(name)

    def raise_version(self, environment: Environment) -> int:
        """The next snapshot version. Only the one door calls this."""
        version = environment.version + 1
        self._connection.execute(
            update(environments).where(environments.c.id == environment.id).values(version=version)
        )
        return version

    def set_require_reason(self, environment: Environment, wanted: bool) -> None:  # noqa: FBT001 - the value of a field
        self._connection.execute(
            update(environments).where(environments.c.id == environment.id).values(require_reason=wanted)
        )

    def set_source(self, environment: Environment, source: str) -> None:
        self._connection.execute(update(environments).where(environments.c.id == environment.id).values(source=source))

    def set_audit_head(self, environment: Environment, length: int, head: str) -> None:
        self._connection.execute(
            update(environments).where(environments.c.id == environment.id).values(audit_length=length, audit_head=head)
        )


def _environment(row: Row[Any]) -> Environment:
    return Environment(**row._asdict())
