"""What does OpenFeature hear of the provider's life? Pure, but for the events that it emits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode

if TYPE_CHECKING:
    from throwbar.plan import FlagPlan
    from throwbar.status import Status
    from throwbar.trouble import Trouble

FAILURES = 3  # in a row; as many polls make a snapshot stale
Emit = Callable[[ProviderEvent, ProviderEventDetails], None]


class Health(NamedTuple):
    """The event that tells of it; if it is not good, why, and in OpenFeature's words."""

    state: ProviderEvent
    sentence: str = ""
    code: ErrorCode | None = None


class Known(NamedTuple):
    """What can be answered from. A flag that is written as before keeps its plan."""

    version: int
    plans: Mapping[str, FlagPlan]
    features: Mapping[str, object]


def health_of(status: Status, features: Trouble, *, has_features: bool) -> Health:
    """Of nothing to serve from, of what was true a while ago, or of what is true now."""
    if not status.ready:
        return Health(ProviderEvent.PROVIDER_ERROR, status.last_error, ErrorCode.PROVIDER_NOT_READY)
    if status.stale:
        sentence = status.last_error or "the control plane has not answered for a while"
        return Health(ProviderEvent.PROVIDER_STALE, sentence)
    if features.failures < FAILURES:
        return Health(ProviderEvent.PROVIDER_READY)
    if has_features:
        return Health(ProviderEvent.PROVIDER_STALE, f"the features: {features.sentence}")
    return Health(ProviderEvent.PROVIDER_ERROR, f"the features: {features.sentence}", ErrorCode.GENERAL)


class Announcer:
    """Says what changed since the last turn. For one thread, from `begin` on.

    The SDK of OpenFeature tells how `initialize` went itself, just after it returned. So the first turn says nothing of
    the health: it may be under way then, and what it said would be undone.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._state: ProviderEvent | None = None
        self._known: Known | None = None
        self._turns = 0

    def begin(self, known: Known, *, ready: bool) -> None:
        """Initialising is over, and whoever asked for it is told by the SDK of OpenFeature."""
        self._known = known
        self._turns = 0
        self._state = ProviderEvent.PROVIDER_READY if ready else ProviderEvent.PROVIDER_ERROR

    def turn(self, health: Health, known: Known) -> None:
        before = self._known
        self._turns += 1
        if before is None or self._turns == 1:
            return
        self._known = known
        if health.state is not self._state:
            self._state = health.state
            details = ProviderEventDetails(message=health.sentence or None, error_code=health.code)
            self._emit(health.state, details)
        changed = sorted({*_changed(before.plans, known.plans), *_changed(before.features, known.features)})
        if changed:
            details = ProviderEventDetails(flags_changed=changed, metadata={"version": str(known.version)})
            self._emit(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, details)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Plans are equal to nothing but themselves, features to those that are written alike."""
    if before is after:
        return []
    return [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
