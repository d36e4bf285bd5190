"""What does a service hold in its hands? One client per process and environment."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from throwbar import clock
from throwbar.belongings import Belongings
from throwbar.engine import Engine, log
from throwbar.keyed_hash import KeyedHash
from throwbar.migration import Migration, Migrations
from throwbar.settings import Arguments, BackupFile, read_settings

if TYPE_CHECKING:
    from throwbar.adapters import AdapterRegistry
    from throwbar.backends import Backend
    from throwbar.hooks import Hook
    from throwbar.kept import Kept
    from throwbar.status import Status
    from throwbar.transport import Transport
    from throwbar.trouble import Trouble

T = TypeVar("T")


class Client:
    """Keeps the snapshot of one environment, and reports what the calls of this process came to.

    Every argument may come from the environment (THROWBAR_URL, THROWBAR_TOKEN, THROWBAR_SERVICE,
    THROWBAR_BACKUP_FILE). Intervals are seconds. `backup_file` is a path, True for one in the user's cache
    directory (the default), False for none. No I/O happens here: the first call, or `wait_ready`, starts the one
    thread. Raises ConfigurationError for a malformed argument; a malformed environment is logged, and every call
    then goes to the baseline.

    `hooks` are told of calls as they happen, see `throwbar.hooks`. `transport` and `wall_clock` (seconds since the
    epoch) are there for tests.
    """

    def __init__(  # noqa: PLR0913 - each has a default, all but two are named
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        service: str | None = None,
        poll_interval: float = 10.0,
        report_interval: float = 5.0,
        backup_file: BackupFile | None = None,
        transport: Transport | None = None,
        wall_clock: Callable[[], float] | None = None,
        hooks: Iterable[Hook] = (),
    ) -> None:
        arguments = Arguments(url, token, service, poll_interval, report_interval, backup_file)
        self._settings = read_settings(arguments, os.environ)
        if self._settings.problem:
            log.warning("%s: every call goes to the baseline", self._settings.problem)
        self._engine = Engine(
            wall_clock or clock.wall_clock,
            clock.perf_clock_ns,
            counting=not self._settings.problem,
        )
        self._engine.key_hash = KeyedHash(self._settings.token)
        self._engine.hooks = tuple(hooks)
        from throwbar.shelf import Shelf  # noqa: PLC0415 - as in `_connect`

        self._shelf = Shelf(self._engine, self._settings)
        self._transport = transport
        self._migrations = Migrations(self._engine)
        self._belongings = Belongings()
        self._connect()
        _living.add(self)

    def migration(self, key: str, *, baseline: str = "baseline") -> Migration:
        """The migration with this flag key. `baseline` names its backend until a snapshot does."""
        return self._migrations.get(key, baseline)

    def owns(self, backend: T) -> T:
        """The same Backend or AdapterRegistry, which from now on ends with this client. Raises ConfigurationError."""
        self._belongings.add(backend)
        return backend

    def backend(self, factory: Callable[[], Any], **described: Any) -> Backend[Any]:  # noqa: ANN401 - checked there
        """A `Backend` that ends with this client; the arguments are its. Raises ConfigurationError."""
        from throwbar.backends import Backend  # noqa: PLC0415 - few services have one

        return self.owns(Backend(factory, **described))

    def adapters(self, adapters: Mapping[str, Backend[Any] | Callable[[], Any]], *, baseline: str) -> AdapterRegistry:
        """An `AdapterRegistry` that ends with this client. Raises ConfigurationError."""
        from throwbar.adapters import AdapterRegistry  # noqa: PLC0415 - as above

        return self.owns(AdapterRegistry(adapters, baseline=baseline))

    def wait_ready(self, timeout: float = 5.0) -> bool:
        """Wait until decisions come from a snapshot, polled or backed up. False after `timeout` seconds."""
        self._engine.wake()
        if self._settings.problem:
            return False
        return self._poller.wait_until(lambda: self._engine.snapshot.ready, timeout)

    def status(self) -> Status:
        """Everything there is to know about this client now."""
        from throwbar.status import Status  # noqa: PLC0415 - for those who ask

        snapshot = self._engine.snapshot
        exchange = self._exchange
        return Status(
            ready=snapshot.ready,
            environment=snapshot.environment,
            source=snapshot.source,
            version=snapshot.version,
            stale=self._is_stale(),
            last_poll_at=exchange.last_poll_at,
            last_error=self._last_error(),
            service=self._settings.service,
            instance=self._engine.instance,
            reports_sent=exchange.outbox.sent,
            reports_pending=len(exchange.outbox),
            reports_dropped=exchange.outbox.dropped_ever,
            internal_errors=self._engine.internal_errors,
            overrides=dict(self._shelf.overrides),
            pin_store_errors=self._engine.pin_store_errors(),
            failures={name: trouble.failures for name, trouble in self._troubles().items() if trouble.failures},
            archived=tuple(self._engine.archived()),
        )

    def flush(self, timeout: float = 5.0) -> bool:
        """Report what has settled, now, and poll if the control plane has something newer.

        Calls of a bucket that is not over stay for later. True when all that was to be sent is acknowledged.
        """
        return not self._settings.problem and self._poller.flush(timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Send the last report and stop, within `timeout` seconds. Calls go on as the last snapshot says, uncounted.

        Then whatever the client owns is closed, the newest first; that may take as long as it likes, and what it
        raises is logged. Closing again does nothing.
        """
        self._stop(timeout)
        self._belongings.close()

    async def aclose(self, timeout: float = 2.0) -> None:  # noqa: ASYNC109 - of the report alone, as in `close`
        """The same for coroutines. The event loop goes on, and backends that have to be awaited are."""
        import asyncio  # noqa: PLC0415 - a coroutine asks: it is there already

        try:
            await asyncio.to_thread(self._stop, timeout)
        finally:  # also for a caller who is cancelled
            await self._belongings.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def engine(self) -> Engine:
        """What its calls share; for the other modules of this package."""
        return self._engine

    @property
    def migrations(self) -> Migrations:
        """Those that were asked for; for the other modules of this package."""
        return self._migrations

    def kept(self, kind: str) -> Kept:
        """A file beside the backup of the snapshot; for the other modules of this package."""
        from throwbar.kept import Kept  # noqa: PLC0415 - as in `_connect`

        return Kept(self._settings, kind)

    def _connect(self) -> None:
        """Everything that belongs to one process, and to no child of it."""
        # What talks to the control plane is loaded with the first client: many modules of a service only decorate.
        from throwbar.exchange import Exchange  # noqa: PLC0415
        from throwbar.poller import Poller  # noqa: PLC0415

        self._exchange = Exchange(self._engine, self._settings, self._shelf, self._transport)
        self._poller = Poller(
            self._exchange,
            self._shelf,
            self._settings.poll_interval,
            self._settings.report_interval,
            lambda: self._engine.snapshot.ready,
        )
        self._engine.wake = self._wake
        self._engine.hurry = self._poller.hurry

    def _stop(self, timeout: float) -> None:
        self._engine.counting = False
        self._engine.wake = self._engine.hurry = _asleep
        self._poller.close(timeout)

    def _wake(self) -> None:
        if not self._settings.problem:
            self._poller.ensure_started()

    def after_fork(self) -> None:
        """Called in the child; nobody else needs to."""
        if self._engine.wake is _asleep:
            return
        self._engine.renew()
        self._connect()

    def _is_stale(self) -> bool:
        last = self._exchange.last_poll_at
        return last is None or self._engine.wall_clock() - last > 3 * self._settings.poll_interval

    def _last_error(self) -> str:
        sentences = (trouble.sentence for trouble in self._troubles().values())
        return self._settings.problem or self._exchange.overdue or next(filter(None, sentences), "")

    def _troubles(self) -> dict[str, Trouble]:
        return {
            "polling": self._exchange.polling,
            "reporting": self._exchange.reporting,
            "backup": self._shelf.backup_trouble,
            "overrides": self._shelf.override_trouble,
        }


def _asleep() -> None:
    """Stands for the poller once the client is closed."""


_living: weakref.WeakSet[Client] = weakref.WeakSet()


def living() -> list[Client]:
    """All clients of this process, closed ones too."""
    return list(_living)


def _after_fork_in_child() -> None:
    # The parent's thread, locks and unsent reports stay the parent's.
    for client in living():
        client.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
