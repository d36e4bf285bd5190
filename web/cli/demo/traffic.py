"""Many sessions calling the service at a steady rate, and what became of each call."""

import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from web.cli.demo.bridge import BACKEND_FAILURES, OPERATIONS, Request

REMEMBERED = 500_000  # calls; older ones are forgotten, since the demo may be left running

Ask = Callable[[str, Request], object]


class Outcome(StrEnum):
    """How a call ended: well, with a failure of its backend that was made good or not, or one that Throwbar caused."""

    OK = "ok"
    RESCUED = "rescued"
    BACKEND_FAILED = "backend_failed"
    THROWBAR_FAILED = "throwbar_failed"


@dataclass(frozen=True, slots=True)
class Call:
    """`at` is when it began, in seconds since the traffic did; `backend` is empty when none was reached."""

    at: float
    seconds: float
    operation: str
    session: str
    backend: str
    outcome: Outcome
    error: str = ""


class Traffic:
    """An open loop: calls begin when they are due, whatever became of the earlier ones, up to `lanes` at once."""

    def __init__(
        self, ask: Ask, texts: Sequence[str], *, rate: float = 300.0, sessions: int = 2_000, lanes: int = 32
    ) -> None:
        self._ask = ask
        self._texts = texts
        self._gap = 1.0 / rate
        self._sessions = [f"session-{number:04}" for number in range(sessions)]
        self._calls: deque[Call] = deque(maxlen=REMEMBERED)
        self._last_at: dict[str, float] = {}
        self._free_lanes = threading.Semaphore(lanes)
        self._lanes = ThreadPoolExecutor(lanes, thread_name_prefix="caller")
        self._stopping = threading.Event()
        self._pacer = threading.Thread(target=self._pace, name="pacer", daemon=True)
        self._began = time.monotonic()
        self._random = random.Random()  # noqa: S311 - who asks what is no secret

    def start(self) -> None:
        self._began = time.monotonic()
        self._pacer.start()

    def stop(self) -> None:
        """No call begins afterwards, and those that had begun are over."""
        self._stopping.set()
        if self._pacer.ident:
            self._pacer.join()
        self._lanes.shutdown()

    @property
    def now(self) -> float:
        """Seconds since the traffic began."""
        return time.monotonic() - self._began

    def calls(self) -> tuple[Call, ...]:
        """Those that are over, in the order in which they began."""
        return tuple(sorted(self._calls.copy(), key=lambda call: call.at))

    def last_at(self, backend: str) -> float:
        """When the last call began that went there; 0 before any did."""
        return self._last_at.get(backend, 0.0)

    def _pace(self) -> None:
        for number in itertools.count():
            delay = number * self._gap - self.now
            if self._stopping.wait(max(0.0, delay)):
                return
            self._free_lanes.acquire()
            self._begin()

    def _begin(self) -> None:
        operation = self._random.choice(OPERATIONS)
        request = Request(self._random.choice(self._sessions), self._random.choice(self._texts))
        began = self.now
        future = self._lanes.submit(self._ask, operation, request)
        future.add_done_callback(lambda done: self._record(done, operation, request, began))

    def _record(self, done: Future[object], operation: str, request: Request, began: float) -> None:
        self._free_lanes.release()
        error = done.exception()
        self._last_at[request.backend] = max(began, self.last_at(request.backend))
        self._calls.append(
            Call(
                at=began,
                seconds=self.now - began,
                operation=operation,
                session=request.session,
                backend=request.backend,
                outcome=outcome_of(error, failed=request.failed),
                error=f"{type(error).__name__}: {error}" if error else "",
            )
        )


def outcome_of(error: BaseException | None, *, failed: bool = False) -> Outcome:
    """A failure that no backend could have raised is Throwbar's. `failed`: the backend first chosen gave no answer."""
    if error is None:
        return Outcome.RESCUED if failed else Outcome.OK
    return Outcome.BACKEND_FAILED if isinstance(error, BACKEND_FAILURES) else Outcome.THROWBAR_FAILED
