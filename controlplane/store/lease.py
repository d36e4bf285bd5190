"""Lease: one row that says which scheduler acts. The epoch fences off one that slept through the end of its lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from controlplane.domain.errors import LeaseLost
from controlplane.store.tables import leases

# Of a holder that is frozen in the middle of a transaction: PostgreSQL ends it then, and with it the lock on the row. A
# SQLite file has a write lock of its own, which only the end of the process ends.
MUTE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Lease:
    """A right to act under a name, as long as `epoch` is the one in the row."""

    name: str
    holder: str
    epoch: int


class Leases:
    """Taking, keeping and checking leases."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, holder: str, now: datetime, lasting: timedelta) -> Lease | None:
        """The lease, renewed or taken over when it ran out; None while another holds it."""
        self._bound_silence()
        row = self._connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one_or_none()
        if row is None:
            return self._first(name, holder, now + lasting)
        if row.holder != holder and row.expires_at > now:
            return None
        epoch = row.epoch if row.holder == holder and row.expires_at > now else row.epoch + 1
        values = {"holder": holder, "epoch": epoch, "expires_at": now + lasting}
        self._connection.execute(update(leases).where(leases.c.name == name).values(values))
        return Lease(name, holder, epoch)

    def _first(self, name: str, holder: str, expires_at: datetime) -> Lease | None:
        try:
            with self._connection.begin_nested():
                self._connection.execute(
                    insert(leases).values(name=name, holder=holder, epoch=1, expires_at=expires_at)
                )
        except IntegrityError:
            return None  # two schedulers met an empty table; the other was first
        return Lease(name, holder, 1)

    def check(self, lease: Lease) -> None:
        """Locks the row for this transaction. Raises LeaseLost when another epoch has begun."""
        self._bound_silence()
        row = self._connection.execute(
            select(leases).where(leases.c.name == lease.name).with_for_update()
        ).one_or_none()
        if row is None or row.epoch != lease.epoch or row.holder != lease.holder:
            message = f"the lease '{lease.name}' is held by {row.holder if row else 'nobody'} now"
            raise LeaseLost(message)

    def give_back(self, lease: Lease, now: datetime) -> None:
        """Let the next scheduler take over at once."""
        held = (leases.c.name == lease.name) & (leases.c.epoch == lease.epoch) & (leases.c.holder == lease.holder)
        self._connection.execute(update(leases).where(held).values(expires_at=now))

    def _bound_silence(self) -> None:
        """Of this transaction alone, so that a pool of connections is none the worse for it."""
        if self._connection.dialect.name == "postgresql":
            bound = f"SET LOCAL idle_in_transaction_session_timeout = '{MUTE_SECONDS}s'"
            self._connection.execute(text(bound))
