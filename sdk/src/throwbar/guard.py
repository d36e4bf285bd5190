"""What stands between our calls and one backend of one operation? A breaker and two budgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from throwbar.breaker import Breaker
from throwbar.budget import FALLBACKS, RETRIES, Budget
from throwbar.circuit import BreakerSettings, Mode, State, Transition

# That must have failed: one key that fails again and again, or two whose calls are retried, can open a breaker for all
# others.
LEAST_KEYS = 3
_FAILURES = 5


class NoPermit:
    """The permit of a call that no breaker watches."""

    __slots__ = ()
    window = None
    slow_ns = 0

    def succeeded(self, now_ns: int, duration_ns: int) -> None: ...

    def failed(self, now_ns: int, duration_ns: int, *, hard: bool) -> None: ...

    def released(self) -> None: ...


NO_PERMIT = NoPermit()


class Guard:
    """Of the candidate it may refuse calls; of the baseline it only measures, for there is nowhere else to go.

    `earnings` is what the hot path counts ordinary calls in. Both budgets live on it. `failures` are the keys of the
    newest failed attempts.
    """

    __slots__ = ("backend", "breaker", "candidate", "changed", "earnings", "failures", "fallbacks", "retries", "since")

    def __init__(self, backend: str, on_transition: Callable[[Guard, Transition], None], *, candidate: bool) -> None:
        self.backend = backend
        self.candidate = candidate
        self.changed = False
        self.since: float | None = None  # of the last change, in seconds since the epoch
        self.failures: deque[str | None] = deque(maxlen=_FAILURES)
        self.breaker = Breaker(on_transition=lambda transition: on_transition(self, transition))
        self.retries = Budget(RETRIES)
        self.fallbacks = Budget(FALLBACKS)
        self.earnings = self.retries if candidate else self.fallbacks

    @property
    def side(self) -> str:
        return "candidate" if self.candidate else "baseline"

    def renew(self) -> None:
        """A new process: nothing is known of the backend, and nobody holds a lock."""
        self.changed = False
        self.since = None
        self.failures.clear()
        self.breaker.renew()
        self.retries.renew()
        self.fallbacks.renew()

    def obey(self, settings: BreakerSettings, mode: Mode, deadline: float | None) -> None:
        """These settings hold from now on."""
        self.breaker.deadline = deadline
        self.breaker.set_settings(settings)
        self.breaker.set_mode(mode)

    def may_repeat(self, now_ns: int) -> bool:
        """Pay for one more attempt here."""
        self.retries.calls = self.earnings.calls
        return self.retries.spend(now_ns)

    @property
    def blames_the_backend(self) -> bool:
        """Whether a key turned away would have failed as well: not where only one or two keys did, time and again.

        With fewer failures than that it was slowness that opened the breaker.
        """
        return len(self.failures) < _FAILURES or len(set(self.failures)) >= LEAST_KEYS

    @property
    def state(self) -> str:
        """Of the breaker, in the words of a report."""
        breaker = self.breaker
        return str(breaker.state_document()["state"] if breaker.mode is Mode.AUTOMATIC else breaker.mode)

    def document(self, now: float) -> dict[str, object]:
        """Of the breaker, for a report; `now` in seconds since the epoch."""
        document = self.breaker.state_document()
        return {
            "side": self.side,
            "state": self.state,
            "since": round(now if self.since is None else self.since, 3),
            "failure_rate": document["failure_rate"],
            "opens": document["opens"],
        }

    @property
    def noteworthy(self) -> bool:
        """Whether a report has to name it: not closed, or on somebody's order; of the baseline, would not be closed."""
        if not self.candidate:
            return self.changed or self.breaker.would_refuse
        return self.changed or self.state != State.CLOSED
