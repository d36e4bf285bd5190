"""A scheduler in a process of its own. Each tick leaves one counter, named by epoch and number, fenced by the lease."""

import itertools
import sys
import threading

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


def main(database_url: str, holder: str) -> None:
    with open_store(database_url) as store:
        Scheduler(Duties(store, utc_now, Clockwork(), holder, Ticks()), TICK_SECONDS).start()
        for _ in itertools.repeat(None):
            threading.Event().wait(3_600)


if __name__ == "__main__":
    main(*sys.argv[1:])
