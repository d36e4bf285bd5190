"""Appointments: rows ⇄ Appointment. What is over stays, for people to read."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from controlplane.domain.appointment import Appointment, Deed, Wish
from controlplane.domain.errors import NotFound
from controlplane.store.tables import LARGEST_ID, appointments


class Appointments:
    """The appointments of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, environment_id: int, flag: str) -> list[Appointment]:
        """Every appointment of a flag in the order of its time."""
        here = (appointments.c.environment_id == environment_id) & (appointments.c.flag == flag)
        rows = self._connection.execute(select(appointments).where(here).order_by(appointments.c.at, appointments.c.id))
        return [_appointment(row) for row in rows]

    def due(self, environment_id: int, now: datetime) -> list[Appointment]:
        """Those whose time has come, the oldest first."""
        here = (appointments.c.environment_id == environment_id) & appointments.c.over_at.is_(None)
        query = select(appointments).where(here, appointments.c.at <= now)
        return [
            _appointment(row) for row in self._connection.execute(query.order_by(appointments.c.at, appointments.c.id))
        ]

    def get(self, environment_id: int, number: int) -> Appointment:
        """Raises NotFound."""
        query = select(appointments).where(appointments.c.environment_id == environment_id, appointments.c.id == number)
        row = self._connection.execute(query).one_or_none() if number <= LARGEST_ID else None
        if row is None:
            message = f"there is no appointment {number} in this environment"
            raise NotFound(message)
        return _appointment(row)

    def add(self, environment_id: int, flag: str, wish: Wish, made_by: str, made_at: datetime) -> Appointment:
        values = {
            "environment_id": environment_id,
            "flag": flag,
            "at": wish.at,
            "deed": wish.deed.value,
            "operation": wish.operation,
            "share": wish.share,
            "reason": wish.reason,
            "made_by": made_by,
            "made_at": made_at,
            "outcome": "",
        }
        result = self._connection.execute(insert(appointments).values(values))
        (number,) = result.inserted_primary_key or (0,)
        return self.get(environment_id, number)

    def end(self, appointment: Appointment, at: datetime, outcome: str) -> bool:
        """Whether it was still to come: of two processes one ends it."""
        result = self._connection.execute(
            update(appointments)
            .where(appointments.c.id == appointment.id, appointments.c.over_at.is_(None))
            .values(over_at=at, outcome=outcome)
        )
        return result.rowcount == 1


def _appointment(row: Row[Any]) -> Appointment:
    wish = Wish(Deed(row.deed), row.at, row.operation, row.share, row.reason)
    return Appointment(row.id, row.flag, wish, row.made_by, row.made_at, row.over_at, row.outcome)
