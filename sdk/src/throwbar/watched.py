"""How does a hook hear of calls? The binding of an operation, in clients that have hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throwbar.binding import Binding
from throwbar.bound import Opened
from throwbar.cell import UNMARKED, Marks
from throwbar.circuit import Cause, Transition
from throwbar.decision import Decision
from throwbar.guard import Guard
from throwbar.hooks import BreakerChange, Outcome


class WatchedBinding(Binding):
    """One that tells. None of its methods raises, whatever hooks do."""

    __slots__ = ()

    def decide(self, key: object, attributes: Mapping[str, Any] | None) -> Decision:
        decision = super().decide(key, attributes)
        self._engine.tell_hooks(lambda hook: hook.decided(decision, None if key is None else str(key)))
        return decision

    def open(self, key: object, attributes: Mapping[str, Any] | None) -> Opened:
        opened = super().open(key, attributes)
        self._engine.tell_hooks(lambda hook: hook.decided(_decision(opened), opened[5]))
        return opened

    def close(self, opened: Opened) -> None:
        super().close(opened)
        self._ended(opened, None, UNMARKED)

    def settle(self, opened: Opened, category: str | None, marks: Marks = UNMARKED) -> None:
        super().settle(opened, category, marks)
        self._ended(opened, category, marks)

    def _ended(self, opened: Opened, category: str | None, marks: Marks) -> None:
        seconds = (self._engine.perf_clock_ns() - opened[6]) / 1e9
        outcome = Outcome(
            _decision(opened),
            (opened[0] if opened[3] is None else opened[3].choice).assigned_by,  # a shadow's own calls are a shadow's
            seconds,
            category,
            marks.retries,
            marks.fallbacks,
            bool(marks.unknown),
        )
        self._engine.tell_hooks(lambda hook: hook.ended(outcome))
        if marks.fallbacks:
            self._engine.tell_hooks(lambda hook: hook.fell_back(outcome))
        if marks.unknown:
            self._engine.tell_hooks(lambda hook: hook.outcome_unknown(outcome))

    def _heard(self, guard: Guard, transition: Transition) -> None:
        super()._heard(guard, transition)
        if guard.candidate or transition.cause is not Cause.MODE:  # that a baseline is only measured is no news
            change = BreakerChange(self.flag, self.operation, guard.backend, guard.side, transition)
            self._engine.tell_hooks(lambda hook: hook.breaker_changed(change))


def _decision(opened: Opened) -> Decision:
    return opened[0].decision(opened[1].snapshot.version)
