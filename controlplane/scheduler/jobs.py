"""What a scheduler does at each beat: keep the lease, tick while it holds it, tell webhooks, forget what is old."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from controlplane.clock import Clock
from controlplane.domain.errors import LeaseLost
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler.post import Post
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases.delivering import Office, forget_deliveries
from controlplane.usecases.leading import lead, step_down
from controlplane.usecases.retention import pack_next, thin
from controlplane.usecases.retiring import retire
from controlplane.usecases.telemetry import forget_old
from controlplane.usecases.ticking import TickReport, tick

LEASE_LASTS = timedelta(seconds=3)
PACKS_AT_ONCE = 100  # so that a scheduler with weeks to pack can be stopped
BREATH_SECONDS = 0.01  # between two packs: on SQLite reports and ticks wait for the same writer

_log = logging.getLogger(__name__)
Tick = Callable[[Store, Clock, Clockwork, Lease], object]


class Duties:
    """The jobs of one scheduler, named `holder`; any number of them may run, one of them leads.

    A job never raises: a beat that failed is logged and counted in `counts`, and the next one tries again.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        clockwork: Clockwork,
        holder: str,
        tick_once: Tick = tick,
        office: Office | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.lease: Lease | None = None
        self._store = store
        self._clock = clock
        self._clockwork = clockwork
        self._holder = holder
        self._tick_once = tick_once
        self._post = Post(store, office, self._safely) if office else None

    def heartbeat(self) -> None:
        """Take the lease, or keep it. Whoever cannot reach the database must not believe to lead."""
        if not self._safely("heartbeat", self._lead):
            self.lease = None

    def tick(self) -> None:
        """One look at every rollout, if this scheduler leads."""
        self._safely("tick", lambda: self._fenced("tick", self._tick))

    def pack(self) -> None:
        """Pack what is closed, if this scheduler leads; some of it, when there is much."""
        self._safely("pack", lambda: self._fenced("packing", self._pack))

    def forget(self) -> None:
        """Drop what is past its time, if this scheduler leads."""
        self._safely("forget", lambda: self._fenced("forgetting", self._forget))

    def deliver(self) -> None:
        """Let webhooks be told what is new, if this scheduler leads; it waits for none of them."""
        if post := self._post:
            self._safely("deliver", lambda: self._fenced("delivering", post.beat))

    def stop(self) -> None:
        """Give the lease back, so that the next scheduler need not wait for its end."""
        if self._post:
            self._safely("stop", self._post.stop)
        lease, self.lease = self.lease, None
        if lease:
            self._safely("stop", lambda: step_down(self._store, lease, self._clock()))

    def _lead(self) -> None:
        before = self.lease
        self.lease = lead(self._store, self._holder, self._clock(), LEASE_LASTS)
        if self.lease and self.lease != before:
            _log.info("%s leads, epoch %d", self._holder, self.lease.epoch)
        elif before and not self.lease:
            _log.warning("%s has lost the lease of epoch %d", self._holder, before.epoch)

    def _tick(self, lease: Lease) -> None:
        report = self._tick_once(self._store, self._clock, self._clockwork, lease)
        self.counts["ticks"] += 1
        if isinstance(report, TickReport):
            _tell(report)

    def _pack(self, lease: Lease) -> None:
        for _ in range(PACKS_AT_ONCE):
            packed = pack_next(self._store, lease, self._clock())
            if not packed:
                return
            self.counts["packed"] += packed
            time.sleep(BREATH_SECONDS)

    def _forget(self, lease: Lease) -> None:
        thin(self._store, lease, self._clock(), self._clockwork.retention)
        forget_old(self._store, self._clock())
        retire(self._store, lease, self._clock())
        forget_deliveries(self._store, self._clock())

    def _fenced(self, what: str, job: Callable[[Lease], None]) -> None:
        lease = self.lease
        if lease is None:
            return
        try:
            job(lease)
        except LeaseLost as lost:
            self.counts["lease_lost"] += 1
            _log.warning("%s given up: %s", what, lost.message)

    def _safely(self, name: str, job: Callable[[], None]) -> bool:
        try:
            job()
            return True
        except Exception:  # noqa: BLE001 - the loop outlives any trouble: rollbacks depend on it
            self.counts[f"{name}_failed"] += 1
            _log.exception("%s failed", name)
            return False


def _tell(report: TickReport) -> None:
    for environment, flag, step in report.steps:
        _log.info("%s/%s: %s", environment, flag, step)
