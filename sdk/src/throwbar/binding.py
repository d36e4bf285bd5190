"""Which plan is in force for one operation, and what happens around one call of it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throwbar.decision import Choice, Decision, Reason, decide
from throwbar.engine import Engine
from throwbar.plan import OperationPlan
from throwbar.snapshot import NOTHING, Snapshot
from throwbar.tally import OpenToken

Opened = tuple[Choice, int, OpenToken | None]  # what was chosen, under which version, and how to close the call


class Binding:
    """One operation, bound to the plan of the newest snapshot. None of its methods raises."""

    __slots__ = ("_baseline", "_bound", "_engine", "_in_trouble", "flag", "operation")

    def __init__(self, engine: Engine, flag: str, operation: str, baseline: str) -> None:
        self.flag = flag
        self.operation = operation
        self._engine = engine
        self._baseline = baseline
        self._in_trouble = Choice(
            self._plan_without_flag(Reason.SDK_ERROR), Reason.SDK_ERROR, "default", candidate=False
        )
        # A snapshot that is nobody's: the first call binds, and so wakes the poller.
        self._bound: tuple[Snapshot, OperationPlan] = (
            NOTHING._replace(),
            self._plan_without_flag(Reason.NOT_READY),
        )

    def decide(self, key: object, attributes: Mapping[str, Any] | None) -> Decision:
        """What would be decided for such a call now. Counted nowhere."""
        try:
            text = key if key is None or type(key) is str else str(key)
            snapshot, plan = self._current()
            return decide(plan, text, attributes).decision(snapshot.version)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            self._engine.note_error(error)
            return self._in_trouble.decision(0)

    def open(self, key: object, attributes: Mapping[str, Any] | None) -> Opened:
        """A call starts: decide for it and begin to count it."""
        try:
            text = key if key is None or type(key) is str else str(key)
            engine = self._engine
            bound = self._bound
            if bound[0] is not engine.snapshot:  # as in `_current`, which would cost a tenth of the whole call
                bound = self._bind()
            choice = decide(bound[1], text, attributes)
            return choice, bound[0].version, engine.tally.begin(choice, text) if engine.counting else None
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            return self.open_in_trouble(error)

    def open_in_trouble(self, error: Exception) -> Opened:
        """A call starts whose decision failed: the baseline, and a word in the log."""
        self._engine.note_error(error)
        return self._in_trouble, 0, None

    def close(self, token: OpenToken | None, error: BaseException | None) -> None:
        """The call came back with a result, or with this exception."""
        try:
            if token is not None:
                self._engine.tally.end(token, error)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._engine.note_error(trouble)

    def _current(self) -> tuple[Snapshot, OperationPlan]:
        bound = self._bound
        return bound if bound[0] is self._engine.snapshot else self._bind()

    def _bind(self) -> tuple[Snapshot, OperationPlan]:
        self._engine.wake()
        snapshot = self._engine.snapshot
        flag = snapshot.flags.get(self.flag)
        if flag is not None:
            plan = flag.plan(self.operation)
        else:
            plan = self._plan_without_flag(Reason.FLAG_MISSING if snapshot.ready else Reason.NOT_READY)
        self._bound = (snapshot, plan)
        return self._bound

    def _plan_without_flag(self, reason: Reason) -> OperationPlan:
        return OperationPlan(self.flag, self.operation, baseline=self._baseline, settled=(reason, "default", False))
