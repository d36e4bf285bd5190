"""A scheduler in a process of its own. Each tick leaves one counter, named by epoch and number, fenced by the lease;
each beat leaves a line in a file: when it began, and whether the scheduler led at its end.
"""

import itertools
import sys
import threading
from pathlib import Path
from typing import IO

from controlplane.clock import utc_now
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties, Scheduler
from controlplane.store import Store, open_store
from controlplane.store.lease import Lease

TICK_SECONDS = 0.1


class Ticks:
    """`tick:order` is raised by one at each: its value is the number of the tick, over all schedulers."""

    def __call__(self, store: Store, _clock: object, _clockwork: Clockwork, lease: Lease) -> None:
        with store.writing() as uow:
            uow.leases.check(lease)
            number = uow.counters.get("order") + 1
            uow.counters.add("order")
            uow.counters.add(f"tick:{number:06}:{lease.epoch}:{lease.holder}")
            uow.commit()


class Noted(Duties):
    def __init__(self, store: Store, holder: str, beats: IO[str]) -> None:
        super().__init__(store, utc_now, Clockwork(), holder, Ticks())
        self._beats = beats

    def heartbeat(self) -> None:
        began = utc_now()
        super().heartbeat()
        self._beats.write(f"{began.isoformat()} {self.lease is not None}\n")


def main(database_url: str, holder: str, path: str) -> None:
    with open_store(database_url) as store, Path(path).open("w", buffering=1, encoding="ascii") as beats:
        Scheduler(Noted(store, holder, beats), TICK_SECONDS).start()
        for _ in itertools.repeat(None):
            threading.Event().wait(3_600)


if __name__ == "__main__":
    main(*sys.argv[1:])
