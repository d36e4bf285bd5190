"""Does a session stay on the backend where it began, while the share around it changes? Only if asked to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import StrEnum

from mmh3 import mmh3_x64_128_digest

from throwbar.clock import monotonic, wall_clock
from throwbar.decision import Choice, Reason
from throwbar.engine import log
from throwbar.errors import ConfigurationError
from throwbar.pin_store import MemoryPinStore, PinStore
from throwbar.plan import OperationPlan

PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

_PINNABLE = frozenset({Reason.RULE, Reason.SHARE})
_BRAKES = frozenset({Reason.DISABLED, Reason.ROLLED_BACK})
_PIN = re.compile(r"(baseline|candidate) (\d{1,15})")  # the side, and the second in which the session began


class OnRollback(StrEnum):
    """What becomes of sessions on the candidate when the brake is pulled: off at once, or served to their end."""

    OVERRIDE = "override"
    DRAIN = "drain"


class PinScope(StrEnum):
    """Is a session pinned for each operation by itself, or for all operations of the flag by its first call?"""

    OPERATION = "operation"
    FLAG = "flag"


class Pins:
    """Called with the plan, the choice that was made without pins, and the key; answers with the choice that holds.

    A pin ends `idle_seconds` after its last use, and `max_seconds` after its first. Disabling, rolling back, 0 %,
    and an open breaker are stronger, unless `on_rollback` is "drain": then sessions on the candidate are served there
    to their end, whatever it does to them. A local override and an operation off the list are always stronger.

    The `store` is asked once for each call, in the call: a shared one must answer fast. When it fails, there is no
    pin: the failure is counted in `store_errors`, and the store is left alone for 1 s, then longer, up to 30 s.
    `now` (seconds since the epoch) and `clock` (seconds) are there for tests. Raises ConfigurationError.
    """

    def __init__(  # noqa: PLR0913 - all but one are named, and each has a default
        self,
        store: PinStore | None = None,
        *,
        idle_seconds: float = 300.0,
        max_seconds: float = 86_400.0,
        on_rollback: str = OnRollback.OVERRIDE,
        scope: str = PinScope.OPERATION,
        now: Callable[[], float] = wall_clock,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.drains = _one_of(OnRollback, "on_rollback", on_rollback) is OnRollback.DRAIN
        self._by_flag = _one_of(PinScope, "scope", scope) is PinScope.FLAG
        for name, seconds in (("idle_seconds", idle_seconds), ("max_seconds", max_seconds)):
            if not 0 < seconds < math.inf:
                raise ConfigurationError(f"pins: {name} is {seconds!r}, not a positive number")
        self._idle_seconds = idle_seconds
        self._max_seconds = max_seconds
        self._store: PinStore = MemoryPinStore(clock=clock) if store is None else store
        self._now = now
        self._clock = clock
        self.store_errors = 0
        self._failures_in_a_row = 0
        self._paused_until = -math.inf

    def __call__(self, plan: OperationPlan, choice: Choice, key: str | None) -> Choice:
        """Never raises an Exception."""
        if key is None or not plan.switches.affinity:
            return choice
        braked = choice.reason in _BRAKES
        if (braked and not self.drains) or not (braked or choice.reason in _PINNABLE):
            return choice  # without asking the store: nothing may stand between an operator and the brake
        if self._clock() < self._paused_until:
            return choice
        try:
            return self._pinned(plan, choice, key, braked=braked)
        except Exception as error:  # noqa: BLE001 - somebody else's store, in the middle of a call
            self._note(error)
            return choice

    def keeps_from_breaker(self, choice: Choice) -> bool:
        """Is this call to go to the candidate even while its breaker is open?"""
        return self.drains and choice.reason is Reason.PIN and choice.candidate

    def _pinned(self, plan: OperationPlan, choice: Choice, key: str, *, braked: bool) -> Choice:
        name = self._name(plan, key)
        held = self._recall(name)
        self._failures_in_a_row = 0
        if held is None:
            if not braked:
                self._begin(name, choice)
            return choice
        if not held:
            return choice if braked else plan.by_pin_baseline
        if plan.share == 0 and not self.drains:
            return choice
        return plan.by_pin_candidate

    def _recall(self, name: str) -> bool | None:
        """The side a session is held on: True for the candidate."""
        value = self._store.get(name, self._idle_seconds)
        pin = None if value is None else _PIN.fullmatch(value if isinstance(value, str) else value.decode("latin-1"))
        if pin is None:  # none, or not one of ours: it will be overwritten
            return None
        if self._now() - int(pin[2]) < self._max_seconds:
            return pin[1] == "candidate"
        self._store.delete(name)
        return None

    def _begin(self, name: str, choice: Choice) -> None:
        self._store.set(name, f"{choice.side} {self._now():.0f}", self._idle_seconds)

    def _name(self, plan: OperationPlan, key: str) -> str:
        """Short whatever the key is, and without it: keys must not get into other people's stores."""
        operation = "" if self._by_flag else plan.operation
        text = f"{plan.flag}\0{operation}\0{key}".encode("utf-8", "surrogatepass")
        return f"throwbar:pin:{mmh3_x64_128_digest(text).hex()}"

    def _note(self, error: Exception) -> None:
        pause = min(PAUSE_SECONDS * 2.0 ** min(self._failures_in_a_row, 10), LONGEST_PAUSE_SECONDS)
        self._paused_until = self._clock() + pause
        self._failures_in_a_row += 1
        self.store_errors += 1
        if self.store_errors == 1:  # said once, counted ever after
            log.warning("the store of pins failed; sessions are not pinned meanwhile", exc_info=error)


def _one_of(kind: type[StrEnum], name: str, value: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise ConfigurationError(f"pins: {name} is {value!r}, not one of {', '.join(kind)}") from None
