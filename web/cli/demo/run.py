"""What a demo run was: its calls, what the control plane did meanwhile, and how the flag stood at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from web.cli.demo import pool_pipes, pool_socket
from web.cli.demo.faults import FAULTS, Kind
from web.cli.demo.traffic import Call, Outcome

BASELINE, CANDIDATE = pool_pipes.NAME, pool_socket.NAME
ROLL_BACK = "rollout:roll_back"
COMPLETE = "rollout:complete"


@dataclass(frozen=True, slots=True)
class Event:
    """One audit entry. `at` in seconds since the traffic began; `percent` is the share afterwards, where it changed."""

    at: float
    action: str
    actor: str
    sentence: str
    percent: float | None = None

    @property
    def is_automatic_rollback(self) -> bool:
        return self.action == ROLL_BACK and self.actor == "scheduler"


@dataclass(frozen=True, slots=True)
class Run:
    """`calls` in the order in which they began; `state` is the rollout's at the end; `fault_at` is None without one.

    `internal_errors` are those that the SDK caught in itself, and so hid from the calls.
    """

    fault: Kind
    fault_at: float | None
    calls: Sequence[Call]
    events: Sequence[Event]
    state: str
    internal_errors: int = 0

    @property
    def rollback(self) -> Event | None:
        """The first one that the scheduler made by itself."""
        return next((event for event in self.events if event.is_automatic_rollback), None)

    @property
    def shares_entered(self) -> tuple[float, ...]:
        """The percents of the stages, in the order in which they were entered."""
        return tuple(event.percent for event in self.events if event.percent)

    @property
    def first_harm_at(self) -> float | None:
        """When the first call began that the fault made fail, or made slow."""
        return next((call.at for call in self.calls if self._is_harmed(call)), None)

    @property
    def landed_at(self) -> float | None:
        """When the last call began that still went to the candidate, if the rollback has come."""
        if self.rollback is None:
            return None
        return max((call.at for call in self.calls if call.backend == CANDIDATE), default=None)

    @property
    def reaction(self) -> float | None:
        """Seconds from the first harm to the new routing."""
        if self.first_harm_at is None or self.landed_at is None:
            return None
        return self.landed_at - self.first_harm_at

    def _is_harmed(self, call: Call) -> bool:
        if self.fault_at is None or call.at < self.fault_at or call.backend != CANDIDATE:
            return False
        slow = FAULTS[self.fault].seconds
        return call.outcome is not Outcome.OK or (slow > 0 and call.seconds >= slow)


def last_fifth(calls: Sequence[Call]) -> Sequence[Call]:
    return calls[-(len(calls) // 5) :] if len(calls) >= 5 else calls


def summary(run: Run, complaints: Sequence[str]) -> dict[str, object]:
    """The run as one JSON object; times in seconds since the traffic began."""
    return {
        "fault": run.fault.value,
        "ok": not complaints,
        "complaints": list(complaints),
        "state": run.state,
        "shares_entered": list(run.shares_entered),
        "fault_at": run.fault_at,
        "first_harm_at": run.first_harm_at,
        "rolled_back_at": run.rollback.at if run.rollback else None,
        "landed_at": run.landed_at,
        "reaction_seconds": run.reaction,
        "because": run.rollback.sentence if run.rollback else None,
        "calls": len(run.calls),
        "failed": {
            BASELINE: _count(run, Outcome.BACKEND_FAILED, BASELINE),
            CANDIDATE: _count(run, Outcome.BACKEND_FAILED, CANDIDATE),
            "rescued": _count(run, Outcome.RESCUED, CANDIDATE),
            "throwbar": sum(call.outcome is Outcome.THROWBAR_FAILED for call in run.calls),
        },
        "internal_errors": run.internal_errors,
        "last_fifth_on_baseline": sum(call.backend == BASELINE for call in last_fifth(run.calls)),
        "last_fifth": len(last_fifth(run.calls)),
    }


def _count(run: Run, outcome: Outcome, backend: str) -> int:
    return sum(call.outcome is outcome and call.backend == backend for call in run.calls)
