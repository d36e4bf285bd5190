"""What do all calls of one client share? The snapshot in force, the tally, and a place for our own mistakes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from throwbar.snapshot import NOTHING, Snapshot
from throwbar.tally import Tally

log = logging.getLogger("throwbar")


class Engine:
    """Written by the poller's thread, read by every call without a lock: one attribute store publishes."""

    def __init__(self, wall_clock: Callable[[], float], perf_clock_ns: Callable[[], int], *, counting: bool) -> None:
        self.wall_clock = wall_clock
        self.perf_clock_ns = perf_clock_ns
        self.counting = counting
        self.wake: Callable[[], None] = _nobody
        self.internal_errors = 0
        self._internal_errors_taken = 0
        self.snapshot: Snapshot = NOTHING
        self.renew()

    def renew(self) -> None:
        """A new process: its own name and its own counts, and a snapshot that every call looks up afresh."""
        self.instance = os.urandom(10).hex()
        self.tally = Tally(self.wall_clock, self.perf_clock_ns)
        self.publish(self.snapshot._replace())

    def publish(self, snapshot: Snapshot) -> None:
        self.tally.bucket_seconds = snapshot.bucket_seconds
        self.snapshot = snapshot

    def note_error(self, error: Exception) -> None:
        """A bug of ours. Said once: a hot path can repeat it a million times."""
        self.internal_errors += 1
        if self.internal_errors == 1:
            log.warning("an error inside the SDK; the call went to the baseline or was not counted", exc_info=error)

    def take_errors(self) -> int:
        """Internal errors since this was last asked."""
        seen = self.internal_errors
        fresh = seen - self._internal_errors_taken
        self._internal_errors_taken = seen
        return fresh


def _nobody() -> None:
    return None
