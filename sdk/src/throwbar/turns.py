"""Whose turn is it at a worker that does only so many calls at once? First come, first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Waiter:
    """A call in a queue. `wake` is called with the owner's lock held, must not wait, and says whether it was heard."""

    __slots__ = ("granted", "wake", "worker")

    def __init__(self, worker: str, wake: Callable[[], bool]) -> None:
        self.worker = worker
        self.wake = wake
        self.granted = False


class Turns:
    """Running and waiting calls of each worker. Not locked: its owner is. `capacity` None: no limit."""

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self._running: dict[str, int] = {}
        self._queues: dict[str, deque[Waiter]] = {}

    def take(self, worker: str) -> bool:
        """True when the call may start now."""
        running = self._running.get(worker, 0)
        if self.capacity is not None and running >= self.capacity:
            return False
        self._running[worker] = running + 1
        return True

    def wait(self, waiter: Waiter) -> None:
        self._queues.setdefault(waiter.worker, deque()).append(waiter)

    def give_back(self, worker: str) -> None:
        """A call ended: its turn goes to the one that waits longest and still listens."""
        queue = self._queues.get(worker)
        while queue:
            waiter = queue.popleft()
            waiter.granted = waiter.wake()
            if waiter.granted:
                return
        self._queues.pop(worker, None)
        running = self._running.get(worker, 0) - 1
        if running > 0:
            self._running[worker] = running
        else:
            self._running.pop(worker, None)

    def stop_waiting(self, waiter: Waiter) -> None:
        """The call goes away without a turn."""
        queue = self._queues.get(waiter.worker)
        if queue and waiter in queue:
            queue.remove(waiter)

    def dismiss(self, worker: str) -> None:
        """The worker is dead: whoever waits for it looks again."""
        for waiter in self._queues.pop(worker, ()):
            waiter.wake()
