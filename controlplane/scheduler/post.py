"""The post: a thread for each webhook that is being told, so that a dead endpoint delays nobody, and no rollout."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from controlplane.domain.errors import LeaseLost
from controlplane.store import Store
from controlplane.store.lease import Lease
from controlplane.usecases.delivering import Office, deliver_next, due
from controlplane.usecases.spreading import spread

MOST_AT_ONCE = 8  # webhooks; the others wait for the next beat
TURN_SECONDS = 5.0  # of one webhook, before others have theirs; what is on its way by then is waited for
ENDS_WITHIN = 2.0  # seconds

Guard = Callable[[str, Callable[[], None]], object]  # runs a job and outlives it

_log = logging.getLogger(__name__)


class Post:
    """What is under way when it stops is sent again, by whoever leads next."""

    def __init__(self, store: Store, office: Office, guard: Guard) -> None:
        self._store = store
        self._office = office
        self._guard = guard
        self._busy: dict[int, threading.Thread] = {}
        self._turns: dict[int, int] = {}  # of those that wait or are being told: when each had its last turn
        self._turn = 0
        self._stopping = threading.Event()

    def beat(self, lease: Lease) -> None:
        """Give what is new to whom it is for, and let those be told whom nobody is telling yet. Waits for no answer."""
        spread(self._store, lease, self._office.clock())
        self._busy = {number: thread for number, thread in self._busy.items() if thread.is_alive()}
        waiting = [each for each in due(self._store, self._office.clock()) if each not in self._busy]
        self._turns = {each: self._turns.get(each, 0) for each in (*self._busy, *waiting)}
        # Who waited longest first: else the first few that are dead have all turns, and the others none.
        for number in sorted(waiting, key=self._turns.__getitem__)[: MOST_AT_ONCE - len(self._busy)]:
            self._start(number, lease)

    def stop(self) -> None:
        """Returns when nothing is under way, or shortly after."""
        self._stopping.set()
        self._office.courier.close()
        for thread in self._busy.values():
            thread.join(ENDS_WITHIN)

    def _start(self, number: int, lease: Lease) -> None:
        # A daemon: a name server that hangs must not keep the process from ending.
        told = partial(self._guard, f"telling webhook {number}", partial(self._tell, number, lease))
        thread = threading.Thread(target=told, name=f"webhook-{number}", daemon=True)
        self._busy[number] = thread
        self._turn += 1
        self._turns[number] = self._turn
        thread.start()

    def _tell(self, number: int, lease: Lease) -> None:
        ends = time.monotonic() + TURN_SECONDS
        try:
            while deliver_next(self._store, lease, self._office, number):
                if self._stopping.is_set() or time.monotonic() >= ends:
                    return
        except LeaseLost as lost:
            _log.info("telling webhook %d given up: %s", number, lost.message)
