"""Unit of work: one connection, one transaction. Leaving it without `commit()` takes everything back."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from controlplane.store.appointments import Appointments
from controlplane.store.attachments import Attachments
from controlplane.store.audit import AuditLog
from controlplane.store.callers import Callers
from controlplane.store.checklists import Checklists
from controlplane.store.checkpoints import Checkpoints
from controlplane.store.counters import Counters
from controlplane.store.deliveries import Deliveries
from controlplane.store.engine import WRITES, answering, open_engine
from controlplane.store.environments import Environments
from controlplane.store.examples import Examples
from controlplane.store.flags import Flags
from controlplane.store.freezes import Freezes
from controlplane.store.instances import Instances
from controlplane.store.journal import Journal
from controlplane.store.lease import Leases
from controlplane.store.metric_batches import MetricBatches
from controlplane.store.packs import Packs
from controlplane.store.people import People
from controlplane.store.reports import Buckets
from controlplane.store.signing_in import SigningIn
from controlplane.store.tokens import Tokens
from controlplane.store.trails import Trails
from controlplane.store.watches import Watches
from controlplane.store.webhooks import Webhooks


class UnitOfWork:
    """The collections of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.environments = Environments(connection)
        self.flags = Flags(connection)
        self.freezes = Freezes(connection)
        self.appointments = Appointments(connection)
        self.callers = Callers(connection)
        self.checklists = Checklists(connection)
        self.attachments = Attachments(connection)
        self.audit = AuditLog(connection)
        self.counters = Counters(connection)
        self.leases = Leases(connection)
        self.journal = Journal(connection)
        self.metric_batches = MetricBatches(connection)
        self.instances = Instances(connection)
        self.buckets = Buckets(connection)
        self.packs = Packs(connection)
        self.examples = Examples(connection)
        self.watches = Watches(connection)
        self.checkpoints = Checkpoints(connection)
        self.trails = Trails(connection)
        self.people = People(connection)
        self.signing_in = SigningIn(connection)
        self.tokens = Tokens(connection)
        self.webhooks = Webhooks(connection)
        self.deliveries = Deliveries(connection)

    def commit(self) -> None:
        """Make everything durable. Called by use cases only."""
        self._connection.commit()


class Store:
    """A database, opened. Each unit of work is new: nothing is shared between requests."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """A transaction that writes. On SQLite it waits its turn at its first statement, not at its first write."""
        with answering(), self.engine.connect().execution_options(**{WRITES: True}) as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """A transaction that sees one moment and changes nothing."""
        # SQLite reads one moment by itself; PostgreSQL would look anew at every statement.
        options = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with answering(), self.engine.connect().execution_options(**options) as connection:
            yield UnitOfWork(connection)

    def close(self) -> None:
        self.engine.dispose()


def open_store(database_url: str) -> Store:
    """A store for a database URL; the schema is not looked at (see `store.schema`)."""
    return Store(open_engine(database_url))
