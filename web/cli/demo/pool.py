"""A pool of worker processes: who serves the next call, how long a caller waits, who replaces the dead."""

import itertools
import json
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

FIRST_BACK_OFF = 0.2  # seconds before a dead worker is replaced; doubles while its successors die too
LONGEST_BACK_OFF = 3.0
SOUND_AFTER = 5.0  # seconds without a death after which the back-off starts over


class PoolTimeout(TimeoutError):
    """No worker was free, or none answered, within the time allowed."""


class WorkerDied(ConnectionError):
    """The process that served the call is gone, or no process is left to serve it."""


class OperationFailed(RuntimeError):
    """The backend answered: the operation itself raised."""


class Worker(Protocol):
    """One running process behind a pool."""

    def exchange(self, request: bytes, until: float) -> bytes:
        """One line to one line. `until` is a `time.monotonic()` instant. Raises PoolTimeout, WorkerDied."""
        ...

    def close(self) -> None:
        """End the process and wait for it; harmless when it is gone already."""
        ...


class Pool:
    """N workers, each serving one call at a time. Any thread may call."""

    def __init__(self, name: str, start_worker: Callable[[], Worker], *, size: int, timeout: float = 1.0) -> None:
        self.name = name
        self.deaths = 0
        self._start_worker = start_worker
        self._timeout = timeout
        self._ids = itertools.count(1)
        # Last in, first out: a busy worker stays warm, so that a small share is not also a cold one.
        self._free: queue.LifoQueue[Worker] = queue.LifoQueue()
        self._graves: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        self._alive = 0
        self._counting = threading.Lock()
        self._closing = threading.Event()
        for _ in range(size):
            self._admit(start_worker())
        self._undertaker = threading.Thread(target=self._replace_the_dead, name=f"{name}-undertaker", daemon=True)
        self._undertaker.start()

    def call(self, operation: str, *, session: str, text: str) -> dict[str, Any]:
        """What the operation answers. Raises PoolTimeout, WorkerDied, OperationFailed."""
        until = time.monotonic() + self._timeout
        worker = self._next_free(until)
        number = next(self._ids)
        request = {"id": number, "operation": operation, "session": session, "text": text}
        try:
            answer = _answer_to(number, worker, json.dumps(request).encode() + b"\n", until)
        except WorkerDied:
            self._bury(worker)
            raise
        except PoolTimeout:
            self._free.put(worker)
            raise
        self._free.put(worker)
        if not answer["ok"]:
            raise OperationFailed(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def close(self) -> None:
        """End every worker and wait for it. No call may be made afterwards."""
        self._closing.set()
        self._graves.put(None)
        self._undertaker.join()
        while not self._free.empty():
            self._free.get().close()

    def _next_free(self, until: float) -> Worker:
        if not self._alive:
            raise WorkerDied(f"{self.name}: no worker is alive, a new one is being started")
        try:
            return self._free.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise PoolTimeout(f"{self.name}: no worker was free within {self._timeout:g} s") from None

    def _admit(self, worker: Worker) -> None:
        with self._counting:
            self._alive += 1
        self._free.put(worker)

    def _bury(self, worker: Worker) -> None:
        with self._counting:
            self._alive -= 1
            self.deaths += 1
        self._graves.put(worker)

    def _replace_the_dead(self) -> None:
        back_off, last_death = FIRST_BACK_OFF, 0.0
        for dead in iter(self._graves.get, None):
            dead.close()
            now = time.monotonic()
            back_off = FIRST_BACK_OFF if now - last_death > SOUND_AFTER else min(back_off * 2, LONGEST_BACK_OFF)
            last_death = now
            self._replace(back_off)

    def _replace(self, back_off: float) -> None:
        """Try until one starts; a closing pool wants none."""
        while not self._closing.wait(back_off):
            with suppress(WorkerDied, PoolTimeout):
                self._admit(self._start_worker())
                return


def _answer_to(number: int, worker: Worker, request: bytes, until: float) -> dict[str, Any]:
    """The answer to this request. Earlier ids belong to callers that gave up waiting; they are passed over."""
    line = worker.exchange(request, until)
    while (answer := json.loads(line))["id"] != number:
        line = worker.exchange(b"", until)
    reply: dict[str, Any] = answer
    return reply
