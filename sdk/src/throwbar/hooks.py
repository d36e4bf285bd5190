"""What can a service be told of its calls, as they happen?

    client = throwbar.Client(hooks=[throwbar.hooks.LogHook()])

A hook is called in the thread of the call, so it must be quick. What it raises is logged once and harms nothing. A
client without hooks pays nothing for them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from throwbar.circuit import Transition
from throwbar.clock import monotonic
from throwbar.decision import Decision

log = logging.getLogger("throwbar.events")

_NAMES = 10_000  # of operations made up at run time


class Outcome(NamedTuple):
    """How a call of one side ended, retries included.

    A call that was rescued has two: the candidate's, with `fallbacks` 1, and the baseline's, with `assigned_by`
    "fallback". `category` is that of the error, None when all went well. `unknown`: a write of which nobody knows
    whether it was done.
    """

    decision: Decision
    assigned_by: str
    seconds: float
    category: str | None
    retries: int
    fallbacks: int
    unknown: bool


class BreakerChange(NamedTuple):
    """A breaker changed its state. `side` is the one that it watches."""

    flag: str
    operation: str
    backend: str
    side: str
    transition: Transition


class Evaluation(NamedTuple):
    """What OpenFeature was answered for a feature that the control plane does not move.

    `variant` is None where the default of the code was returned. `reason` and `error`, None when all went well, are
    words of OpenFeature's; `message` says more of the error. `environment` and `version` are the flag set's.
    """

    flag: str
    variant: str | None
    reason: str
    environment: str
    version: str
    error: str | None = None
    message: str = ""


class Hook(Protocol):
    """Subclass it and write the methods that are wanted; the others do nothing."""

    def decided(self, decision: Decision, key: str | None) -> None:
        """A call is sent to a backend, or `decide` was asked."""

    def evaluated(self, evaluation: Evaluation, key: str | None) -> None:
        """OpenFeature asked for a feature. Of flags that move there is a decision."""

    def ended(self, outcome: Outcome) -> None:
        """A call came back, however it went."""

    def fell_back(self, outcome: Outcome) -> None:
        """The candidate failed like this, and the baseline is called in its place."""

    def outcome_unknown(self, outcome: Outcome) -> None:
        """A write may or may not have been done. Its receipt goes to the operation's `on_unknown`."""

    def breaker_changed(self, change: BreakerChange) -> None:
        """Of any of the breakers of this process."""


class LogHook(Hook):
    """One line when something begins, by operation at most one each `interval` seconds; never one for each call.

    Each record has a dict `throwbar` with `event` and its facts, for formatters that write JSON. Events:
    `fallback`, `retry_success`, `retry_exhausted`, `outcome_unknown`, each with `more`, the number of those that were
    not written since the last line. Changes of breakers are written by the SDK itself, with or without this hook.
    """

    def __init__(self, interval: float = 60.0, clock: Callable[[], float] = monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._lock = threading.RLock()
        self._quiet: dict[tuple[str, str, str], tuple[float, int]] = {}  # until when, and how many since

    def ended(self, outcome: Outcome) -> None:
        if outcome.retries:
            well = outcome.category is None
            self._write(
                logging.INFO if well else logging.WARNING, "retry_success" if well else "retry_exhausted", outcome
            )

    def fell_back(self, outcome: Outcome) -> None:
        self._write(logging.WARNING, "fallback", outcome)

    def outcome_unknown(self, outcome: Outcome) -> None:
        self._write(logging.ERROR, "outcome_unknown", outcome)

    def _write(self, level: int, event: str, outcome: Outcome) -> None:
        decision = outcome.decision
        more = self._turn((event, decision.flag, decision.operation))
        if more is None:
            return
        facts = {
            "event": event,
            "flag": decision.flag,
            "operation": decision.operation,
            "backend": decision.backend,
            "category": outcome.category,
            "retries": outcome.retries,
            "more": more,
        }
        said = f"{event} at {decision.backend}" + (f": {outcome.category}" if outcome.category else "")
        since = f", and {more} more since the last line" if more else ""
        log.log(level, "%s/%s: %s%s", decision.flag, decision.operation, said, since, extra={"throwbar": facts})

    def _turn(self, name: tuple[str, str, str]) -> int | None:
        """How many were not written since the last, when it is time for a line."""
        now = self._clock()
        with self._lock:
            until, more = self._quiet.get(name, (now, 0))
            if now < until:
                self._quiet[name] = until, more + 1
                return None
            if len(self._quiet) >= _NAMES:
                self._quiet.clear()
            self._quiet[name] = now + self._interval, 0
            return more
