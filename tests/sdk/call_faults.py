"""What can befall a call: faults of its backends, what is asked and declared of it, and who waits for it how long."""

import asyncio
import socket
from typing import Any, NamedTuple

import throwbar
from throwbar.taxonomy import BY_CATEGORY, Category, Delivery

ALL = 100_000
READ, IDEMPOTENT, WRITE = throwbar.READ, throwbar.IDEMPOTENT_WRITE, throwbar.WRITE
BREAKER = throwbar.Breaker(min_calls=4, hard_failures=3, open_seconds=1, probe_results=2, open_cap_seconds=4)


class Told(Exception):
    """An error that says itself what it is."""

    def __init__(self, category, **changes):
        super().__init__(category)
        self.error_info = BY_CATEGORY[category]._replace(**changes)


class NoSuchOrder(Exception):
    """An answer, by the author's declaration."""


class Fault(NamedTuple):
    """What one attempt does to its backend, how long that takes, and what the caller's function raises of it."""

    applied: bool
    error: Any = None
    ms: int = 1
    proves_nothing: bool = False  # the exception may come of a call that was carried out


def told(category, **changes):
    return lambda: Told(category, **changes)


FAULTS = {
    "none": Fault(True),
    "slow": Fault(True, ms=1_500),
    "no such order": Fault(False, NoSuchOrder),
    "refused": Fault(False, ConnectionRefusedError),
    "no such host": Fault(False, lambda: socket.gaierror(-2, "Name or service not known")),
    "no backend": Fault(False, told(Category.INITIALIZATION)),
    "throttled": Fault(False, told(Category.THROTTLED, retry_after=0.02)),
    "conflict": Fault(False, told(Category.CONFLICT)),
    "invalid": Fault(False, told(Category.VALIDATION)),
    "request lost": Fault(False, TimeoutError, 300, proves_nothing=True),
    "reply lost": Fault(True, TimeoutError, 300, proves_nothing=True),
    "hangs before": Fault(False, TimeoutError, 60_000, proves_nothing=True),
    "hangs after": Fault(True, TimeoutError, 60_000, proves_nothing=True),
    "hung up": Fault(True, ConnectionResetError, proves_nothing=True),
    "broken before": Fault(False, ValueError, proves_nothing=True),
    "broken after": Fault(True, ValueError, proves_nothing=True),
    "reply garbled": Fault(True, told(Category.COMMUNICATION, delivery=Delivery.APPLIED), proves_nothing=True),
    "cancelled before": Fault(False, asyncio.CancelledError, proves_nothing=True),
    "cancelled after": Fault(True, asyncio.CancelledError, proves_nothing=True),
}
NAMES = sorted(FAULTS)
CUT_SHORT = Fault(False, TimeoutError, proves_nothing=True)  # a coroutine whose time was over


class Route(NamedTuple):
    """What the control plane says of an operation."""

    mode: str = "single"
    breaker: str = "auto"
    share: int = ALL


ROUTES = (
    *(Route(), Route(), Route(share=50_000), Route(breaker="forced_open"), Route(breaker="forced_closed")),
    *(Route("dual_write"), Route("dual_write", share=0), Route("shadow"), Route("shadow", share=0)),
)


class Declared(NamedTuple):
    """What its author says of it."""

    kind: throwbar.Kind = WRITE
    deadline: float | None = None
    fallback: bool = True
    fall_back_on_reject: bool = False
    shared_keys: bool = False

    def arguments(self):
        return self._asdict() | {"retry": throwbar.Retry(), "breaker": BREAKER, "expected": NoSuchOrder}


DECLARATIONS = (
    *(Declared(READ, deadline, fallback) for deadline in (None, 1.0) for fallback in (False, True)),
    *(Declared(kind, deadline) for kind in (IDEMPOTENT, WRITE) for deadline in (None, 1.0)),
    *(Declared(kind, deadline, fallback=False) for kind, deadline in ((IDEMPOTENT, None), (WRITE, 1.0))),
    *(Declared(WRITE, deadline, fall_back_on_reject=True) for deadline in (None, 1.0)),
    *(Declared(IDEMPOTENT, deadline, shared_keys=True) for deadline in (None, 1.0)),
)


class Step(NamedTuple):
    """One call, `pause` ms after the last. Seconds: the `patience` of a caller, what its own caller has `time_left`."""

    pause: int = 0
    patience: float | None = None
    time_left: float | None = None


class Schedule(NamedTuple):
    """A life of one operation: what is asked of it, and what becomes of one attempt after the other."""

    seed: int
    route: Route
    declared: Declared
    purse: float  # what the budgets hold at first
    interrupted_pause: int
    steps: tuple[Step, ...]
    faults: tuple[str, ...]


class Outcome(NamedTuple):
    """What the caller gets. `gave_up`: it did not wait for it."""

    answer: str | None = None
    error: BaseException | None = None
    gave_up: bool = False


def store_of(backend, declared):
    return "shared" if declared.shared_keys else backend


def name_of(route, declared):
    words = [*route, declared.kind, declared.deadline, *(int(flag) for flag in declared[2:])]
    return "-".join(str(word) for word in words)
