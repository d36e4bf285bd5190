"""What does OpenFeature hear of the provider's life? Pure, but for the events that it emits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode

if TYPE_CHECKING:
    from throwbar.plan import FlagPlan
    from throwbar.snapshot import Snapshot
    from throwbar.status import Status

Emit = Callable[[ProviderEvent, ProviderEventDetails], None]


class Health(NamedTuple):
    """The event that tells of it, and why it is so."""

    state: ProviderEvent
    sentence: str


def state_of(status: Status) -> ProviderEvent:
    """Of a client: nothing to serve from, what was true a while ago, or what is true now."""
    if not status.ready:
        return ProviderEvent.PROVIDER_ERROR
    return ProviderEvent.PROVIDER_STALE if status.stale else ProviderEvent.PROVIDER_READY


class Announcer:
    """Says what changed since the last turn. For one thread, from `begin` on.

    The SDK of OpenFeature tells how `initialize` went itself, just after it returned. So the first turn says nothing of
    the health: it may be under way then, and what it said would be undone.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._state: ProviderEvent | None = None
        self._flags: Mapping[str, FlagPlan] = {}
        self._turns = 0

    def begin(self, snapshot: Snapshot, *, ready: bool) -> None:
        """Initialising is over, and whoever asked for it is told by the SDK of OpenFeature."""
        self._flags = snapshot.flags
        self._turns = 0
        self._state = ProviderEvent.PROVIDER_READY if ready else ProviderEvent.PROVIDER_ERROR

    def turn(self, health: Health, snapshot: Snapshot) -> None:
        if self._state is None:
            return
        self._turns += 1
        if self._turns == 1:
            return
        changed = _changed(self._flags, snapshot.flags)
        self._flags = snapshot.flags
        if health.state is not self._state:
            self._state = health.state
            self._emit(health.state, _details(health))
        if changed:
            details = ProviderEventDetails(flags_changed=changed, metadata={"version": str(snapshot.version)})
            self._emit(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, details)


def _details(health: Health) -> ProviderEventDetails:
    if health.state is ProviderEvent.PROVIDER_READY:
        return ProviderEventDetails()
    code = ErrorCode.PROVIDER_NOT_READY if health.state is ProviderEvent.PROVIDER_ERROR else None
    return ProviderEventDetails(
        message=health.sentence or "the control plane has not answered for a while", error_code=code
    )


def _changed(before: Mapping[str, FlagPlan], after: Mapping[str, FlagPlan]) -> list[str]:
    """The flags that are told anew: a flag that is written as before keeps its plan."""
    if before is after:
        return []
    return sorted(key for key in before.keys() | after.keys() if before.get(key) is not after.get(key))
