"""What do all calls of one client share? The snapshot in force, the tally, and a place for our own mistakes."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from throwbar.bulletin import Bulletin, InUse
from throwbar.circuit import Cause, Transition
from throwbar.guard import Guard
from throwbar.keyed_hash import KeyedHash
from throwbar.plan import OperationPlan
from throwbar.sites import Sites
from throwbar.snapshot import NOTHING, Snapshot
from throwbar.tally import Tally

if TYPE_CHECKING:
    from throwbar.hooks import Hook
    from throwbar.mismatches import Mismatches

log = logging.getLogger("throwbar")

Get = Callable[[str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]  # path, headers; raises: no answer
Follower = Callable[[Get], None]
Forced = Callable[["Engine", OperationPlan], OperationPlan]


class Engine:
    """Written by the poller's thread, read by every call without a lock: one attribute store publishes.

    `wake` starts the poller, `hurry` makes it report soon.
    """

    forced: ClassVar[Forced | None] = None  # `throwbar.testing` puts a function here, for the whole process

    def __init__(self, wall_clock: Callable[[], float], perf_clock_ns: Callable[[], int], *, counting: bool) -> None:
        self.wall_clock = wall_clock
        self.perf_clock_ns = perf_clock_ns
        self.counting = counting
        self.hooks: tuple[Hook, ...] = ()
        self.followers: tuple[Follower, ...] = ()
        self.wake: Callable[[], None] = _nobody
        self.hurry: Callable[[], None] = _nobody
        self.key_hash: Callable[[str], str] = KeyedHash("")
        self.internal_errors = 0
        self._internal_errors_taken = 0
        self._bindings: weakref.WeakSet[InUse] = weakref.WeakSet()
        self.sites = Sites()
        self.snapshot: Snapshot = NOTHING
        self.renew()

    def renew(self) -> None:
        """A new process: its own name and its own counts, and a snapshot that every call looks up afresh."""
        self._lock = threading.RLock()
        self.instance = os.urandom(10).hex()
        self.tally = Tally(self.wall_clock, self.perf_clock_ns)
        self.bulletin = Bulletin(self.wall_clock)
        self.sites.renew()
        self.bulletin.contributions.append(lambda: {"sites": self.sites.take(self.snapshot.source, self.wall_clock())})
        self._mismatches: Mismatches | None = None
        for binding in self.bindings():
            binding.renew()
        self.publish(self.snapshot._replace())

    @property
    def mismatches(self) -> Mismatches:
        """Made for the first shadow call, which few services make."""
        with self._lock:
            if self._mismatches is None:
                from throwbar.mismatches import Mismatches  # noqa: PLC0415 - for the same reason

                samples = self._mismatches = Mismatches(self.wall_clock, self._hash_of)
                self.bulletin.contributions.append(lambda: {"mismatches": samples.take()})
            return self._mismatches

    def _hash_of(self, key: str) -> str:
        """By whatever hash is in force then: the client gives it after the engine is made."""
        return self.key_hash(key)

    def publish(self, snapshot: Snapshot) -> None:
        """Every call that begins from now on is decided by this snapshot, and its breakers obey it before that."""
        self.tally.bucket_seconds = snapshot.bucket_seconds
        self.snapshot = snapshot

    def enlist(self, binding: InUse) -> None:
        """An operation is in use."""
        with self._lock:
            self._bindings.add(binding)

    def follow(self, follower: Follower) -> None:
        """From now on it gets a turn whenever the poller had one, in the poller's thread."""
        with self._lock:
            self.followers += (follower,)

    def unfollow(self, follower: Follower) -> None:
        """No more turns, after one that may be under way."""
        with self._lock:
            self.followers = tuple(one for one in self.followers if one != follower)

    def bindings(self) -> list[InUse]:
        """Of all operations in use."""
        with self._lock:
            return list(self._bindings)

    def archived(self) -> list[str]:
        """The flags that this process still asks for although they are archived."""
        flags = self.snapshot.flags
        keys = sorted({binding.flag for binding in self.bindings()})
        return [key for key in keys if (plan := flags.get(key)) is not None and plan.archived]

    def pin_store_errors(self) -> int:
        """Of all stores of pins that operations in use have, each counted once."""
        return sum(pins.store_errors for pins in {binding.pins for binding in self.bindings()} if pins is not None)

    def heard(self, binding: InUse, guard: Guard, transition: Transition) -> None:
        """A breaker changed its state: the control plane hears of it soon. Never raises."""
        try:
            if not guard.candidate and transition.cause is Cause.MODE:
                return  # that a baseline is only measured is no news
            guard.since = self.wall_clock()
            guard.changed = True
            self.hurry()
            log.info(
                "%s/%s: the breaker of the %s %s went from %s to %s (%s)",
                *(binding.flag, binding.operation, guard.side, guard.backend),
                *(transition.before, transition.after, transition.cause),
                extra={
                    "throwbar": {
                        "event": transition.event,
                        "flag": binding.flag,
                        "operation": binding.operation,
                        "backend": guard.backend,
                        "side": guard.side,
                        "cause": str(transition.cause),
                        "failure_rate": transition.failure_rate,
                    }
                },
            )
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            self.note_error(error)

    def tell_hooks(self, word: Callable[[Hook], None]) -> None:
        """Say it to each. Never raises."""
        for hook in self.hooks:
            try:
                word(hook)
            except Exception as error:  # noqa: BLE001 - the service's own code, but the call must go on
                self.note_error(error)

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
