"""Which plan is in force for one operation, and what happens when a call of it begins and ends?"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from throwbar.bound import Bound, Opened
from throwbar.breaker import tell
from throwbar.bulletin import Companion
from throwbar.cell import UNMARKED, UNSEEN, Marks
from throwbar.circuit import BreakerSettings, Mode, Permit, Transition
from throwbar.decision import Choice, Decision, Reason, decide
from throwbar.engine import Engine
from throwbar.evidence import classify
from throwbar.guard import NO_PERMIT, Guard
from throwbar.histogram import slot_of
from throwbar.lanes import NO_LANES, decision_of, lanes_of
from throwbar.plan import OperationPlan
from throwbar.policy import Policy
from throwbar.snapshot import NOTHING, Snapshot
from throwbar.terms import breaker_mode, breaker_settings, without_slow_rule

if TYPE_CHECKING:
    from throwbar.pins import Pins


class Binding:
    """One operation, bound to the plan of the newest snapshot. None of its methods raises."""

    __slots__ = (
        *("__weakref__", "_baseline", "_bound", "_engine", "_guards", "_in_trouble", "_settings"),
        *("companions", "deadline", "flag", "lanes", "lock", "operation", "pins"),
    )

    def __init__(self, engine: Engine, flag: str, operation: str, baseline: str) -> None:
        self.flag = flag
        self.operation = operation
        self.deadline: float | None = None
        self.pins: Pins | None = None
        self.companions: list[Companion] = []
        self._engine = engine
        self._baseline = baseline
        self._settings: BreakerSettings | None = BreakerSettings()
        self._guards: dict[tuple[str, bool], Guard] = {}
        self.lock = threading.RLock()
        plan = self._plan_without_flag(Reason.NOT_READY)
        self._in_trouble = Choice(
            self._plan_without_flag(Reason.SDK_ERROR), Reason.SDK_ERROR, "default", candidate=False
        )
        # A snapshot that is nobody's: the first call binds, and so wakes the poller.
        self._bound = Bound(NOTHING._replace(), plan, self._guards_of(plan), acting=False)
        self.lanes = NO_LANES
        engine.enlist(self)

    def declare(self, policy: Policy) -> None:
        """What the code says of this operation's breaker; the newest declaration counts."""
        with self.lock:
            self._settings = policy.breaker
            self.pins = policy.pins
            self.deadline = policy.deadline
            self.lanes = NO_LANES
            self._bound = Bound(NOTHING._replace(), self._bound.plan, self._bound.guards, acting=False)

    def renew(self) -> None:
        """A new process."""
        self.lock = threading.RLock()
        for guard in self._guards.values():
            guard.renew()
        for companion in self.companions:
            companion.renew()

    @property
    def guards(self) -> tuple[Guard, ...]:
        """Those of the backends in use, as the snapshot in force has them."""
        return self._current().guards

    def decide(self, key: object, attributes: Mapping[str, Any] | None) -> Decision:
        """What would be decided for such a call now. Counted nowhere, and no probe."""
        decision = decision_of(self._engine, self.lanes, key)
        if decision is not None:
            return decision
        try:
            text = key if type(key) is str or key is None else str(key)
            bound = self._bound
            if bound.snapshot is not self._engine.snapshot:
                bound = self._bind()
            choice = decide(bound.plan, text, attributes)
            if self.pins is not None:
                choice = self.pins(bound.plan, choice, text)
            if choice.candidate and bound.acting and bound.guards[1].breaker.refuses(self._engine.perf_clock_ns()):
                choice = bound.plan.by_breaker
            return choice.decision(bound.snapshot.version)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            self._engine.note_error(error)
            return self._in_trouble.decision(0)

    def open(self, key: object, attributes: Mapping[str, Any] | None) -> Opened:
        """A call starts: decide for it, ask the breaker, and begin to count it.

        This and `close` are what a call which goes well pays for, unless `plain_run` makes it. The second half is
        `Tally.begin`, written out; whatever is not as usual goes there.
        """
        try:
            engine = self._engine
            bound = self._bound
            if bound.snapshot is not engine.snapshot:
                bound = self._bind()
            text = key if type(key) is str or key is None else str(key)
            choice = decide(bound.plan, text, attributes)
            if self.pins is not None:
                choice = self.pins(bound.plan, choice, text)
            guard = bound.guards[choice.candidate]
            permit = guard.breaker.passing
            if permit is None:
                return self._open_guarded(bound, choice, text)
            guard.earnings.calls += 1
            tally = engine.tally
            try:
                cell = tally.local.cells.current[choice]
            except (AttributeError, KeyError):
                return self._begin(bound, choice, permit, text)
            started_ns = tally.perf_clock_ns()
            if started_ns >= cell.until_ns or cell.sealed or not engine.counting:
                return self._begin(bound, choice, permit, text)
            number = cell.started = cell.started + 1
            if cell.sealed:
                cell.started = number - 1
                return self._begin(bound, choice, permit, text)
            cell.open[number] = (text, started_ns)
            return choice, bound, permit, cell, number, text, started_ns
        except Exception as error:  # noqa: BLE001 - a bug of ours must not become the host's
            return self.open_in_trouble(error)

    def open_in_trouble(self, error: Exception) -> Opened:
        """A call starts whose decision failed: the baseline, and a word in the log."""
        self._engine.note_error(error)
        return self._in_trouble, self._bound, NO_PERMIT, None, 0, None, self._engine.perf_clock_ns()

    def open_fallback(self, opened: Opened) -> Opened:
        """The candidate's call failed, and the baseline is called in its place."""
        _, bound, _, _, _, key, _ = opened
        return self._begin(bound, bound.plan.by_fallback, bound.guards[0].breaker.passing or NO_PERMIT, key)

    def close(self, opened: Opened) -> None:
        """The call came back well, in the thread that opened it: `finish`, written out."""
        try:
            _, _, permit, cell, number, key, started_ns = opened
            engine = self._engine
            ended_ns = engine.perf_clock_ns()
            duration_ns = ended_ns - started_ns
            window = permit.window
            if window is not None and duration_ns < permit.slow_ns and ended_ns < window.current.end_ns:
                window.current.ok += 1
            else:
                permit.succeeded(ended_ns, duration_ns)
            if cell is None:
                return
            try:
                del cell.open[number]
            except KeyError:
                return  # too late: it was reported as pending
            slot = slot_of(duration_ns)
            if key is not None and not (cell.mask and hash(key) & cell.mask):
                keys = cell.keys
                if slot > keys.get(key, UNSEEN):
                    keys[key] = slot
                    if not number & 63:
                        engine.tally.thin(cell)
            cell.latency[slot] += 1  # the last, see `Cell.finished`
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._engine.note_error(trouble)

    def finish(self, opened: Opened) -> None:
        """The same, in whatever thread."""
        cell = opened[3]
        if cell is None or self._engine.tally.owns(cell):
            self.close(opened)
            return
        ended_ns = self._engine.perf_clock_ns()
        opened[2].succeeded(ended_ns, ended_ns - opened[6])
        self.settle(opened, None)

    def fail(self, opened: Opened, error: BaseException) -> None:
        """The call came back with this exception, and that is that."""
        info = classify(error)
        ended_ns = self._engine.perf_clock_ns()
        if info.countable:
            opened[1].guards[opened[0].candidate].failures.append(opened[5])
        tell(opened[2], info, ended_ns, ended_ns - opened[6])
        self.settle(opened, info.category)

    def settle(self, opened: Opened, category: str | None, marks: Marks = UNMARKED) -> None:
        """Count how the call ended, in whatever thread. Its permit has been told already."""
        try:
            cell = opened[3]
            if cell is not None:
                self._engine.tally.end((cell, opened[4], opened[6]), category, marks)
        except Exception as trouble:  # noqa: BLE001 - a bug of ours must not become the host's
            self._engine.note_error(trouble)

    def _open_guarded(self, bound: Bound, choice: Choice, key: str | None) -> Opened:
        """The breaker of the chosen backend is not closed."""
        engine = self._engine
        if not choice.candidate or not bound.acting or (self.pins and self.pins.keeps_from_breaker(choice)):
            return self._begin(bound, choice, NO_PERMIT, key)
        guard = bound.guards[1]
        permit = guard.breaker.acquire(engine.perf_clock_ns())
        if permit is not None:
            guard.earnings.calls += 1
            probing = guard.breaker.passing is not permit
            return self._begin(bound, bound.plan.by_probe if probing else choice, permit, key)
        if engine.counting:
            tells = guard.blames_the_backend and not bound.guards[0].breaker.would_refuse
            engine.tally.refused(choice, key, tells=tells)
        return self._begin(bound, bound.plan.by_breaker, bound.guards[0].breaker.passing or NO_PERMIT, key)

    def _begin(self, bound: Bound, choice: Choice, permit: Permit, key: str | None) -> Opened:
        engine = self._engine
        token = engine.tally.begin(choice, key) if engine.counting else None
        if token is None:
            return choice, bound, permit, None, 0, key, engine.perf_clock_ns()
        cell, number, started_ns = token
        return choice, bound, permit, cell, number, key, started_ns

    def _current(self) -> Bound:
        bound = self._bound
        return bound if bound.snapshot is self._engine.snapshot else self._bind()

    def _bind(self) -> Bound:
        self._engine.wake()
        # Whoever is last here reads the newest snapshot, so a breaker never ends up with the mode of an older one.
        with self.lock:
            snapshot = self._engine.snapshot
            flag = snapshot.flags.get(self.flag)
            if flag is not None:
                plan = flag.plan(self.operation)
            else:
                plan = self._plan_without_flag(Reason.FLAG_MISSING if snapshot.ready else Reason.NOT_READY)
            if Engine.forced is not None:
                plan = Engine.forced(self._engine, plan)
            self._bound = bound = self._with_guards(snapshot, plan)
            unusual = self.pins is not None or self._engine.hooks
            self.lanes = NO_LANES if unusual else lanes_of(self._engine, bound)
            return bound

    def _with_guards(self, snapshot: Snapshot, plan: OperationPlan) -> Bound:
        guards = self._guards_of(plan)
        code = self._settings
        settings = breaker_settings(code or BreakerSettings(), plan.breaker)
        settings = without_slow_rule(settings, self.deadline)
        acts = code is not None and code.baseline and plan.switches.breaker
        guards[0].obey(settings, Mode.AUTOMATIC if acts else Mode.METRICS_ONLY, self.deadline)
        guards[1].obey(settings, _mode(plan, code), self.deadline)
        # What this machine insists on goes to the candidate whatever its breaker says.
        overridden = plan.settled is not None and plan.settled.reason is Reason.OVERRIDE
        return Bound(snapshot, plan, guards, acting=not overridden)

    def _guards_of(self, plan: OperationPlan) -> tuple[Guard, Guard]:
        return self._guard(plan.baseline, candidate=False), self._guard(plan.candidate, candidate=True)

    def _guard(self, backend: str, *, candidate: bool) -> Guard:
        guard = self._guards.get((backend, candidate))
        if guard is None:
            guard = self._guards[backend, candidate] = Guard(backend, self._heard, candidate=candidate)
        return guard

    def _heard(self, guard: Guard, transition: Transition) -> None:
        self._engine.heard(self, guard, transition)

    def _plan_without_flag(self, reason: Reason) -> OperationPlan:
        return OperationPlan(self.flag, self.operation, baseline=self._baseline, settled=(reason, "default", False))


def _mode(plan: OperationPlan, code: BreakerSettings | None) -> Mode:
    written = breaker_mode(plan.breaker)
    if written in (Mode.FORCED_OPEN, Mode.FORCED_CLOSED):
        return written
    if not plan.switches.breaker:
        return Mode.FORCED_CLOSED
    return written or (Mode.METRICS_ONLY if code is None else Mode.AUTOMATIC)
