"""How does a service that speaks OpenFeature ask for flags? For `pip install throwbar[openfeature]`; nothing else
imports this.

    openfeature.api.set_provider(ThrowbarProvider(client))

A migration is a flag whose value is the name of a backend: `client.get_string_value("dspex-bridge", "python_pool_v2",
EvaluationContext(session_id, {"operation": "echo"}))`. It is what `decide` says, breakers, pins and local overrides
included. Nobody measures what is done with it: that is what `Migration.operation` is for. A feature is evaluated in the
process, by flagd's own core on the definition that the control plane publishes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ProviderFatalError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagType, FlagValueType
from openfeature.provider import AbstractProvider, Metadata

from throwbar.client import Client
from throwbar.clock import monotonic
from throwbar.engine import Get
from throwbar.openfeature_evaluation import resolve_feature
from throwbar.openfeature_events import Announcer, Known, health_of
from throwbar.openfeature_features import Features
from throwbar.openfeature_migrations import resolve_migration

NAME = "throwbar"
Structure = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class Serving(NamedTuple):
    """What the provider answers from, between `initialize` and `shutdown`."""

    client: Client
    features: Features


class ThrowbarProvider(AbstractProvider):
    """Answers from the snapshot of `client`, without I/O, so its coroutines do not wait either.

    The client stays its maker's: `shutdown` leaves it open. Without one, the provider makes its own from the
    environment when it is initialised, and closes it. Initialising waits up to `ready_within` seconds for a snapshot,
    polled or backed up; one that comes later makes the provider ready then.
    """

    def __init__(self, client: Client | None = None, *, ready_within: float = 5.0) -> None:
        super().__init__()
        self._given = client
        self._ready_within = ready_within
        self._serving: Serving | None = None
        self._announcer = Announcer(self.emit)

    def get_metadata(self) -> Metadata:
        return Metadata(NAME)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Raises ProviderFatalError where no snapshot can ever come, ProviderNotReadyError where none came in time."""
        del evaluation_context  # what is evaluated gets it merged in
        until = monotonic() + self._ready_within
        serving = self._serving = self._serving or _serving(self._given or Client())
        client, features = serving
        if not client.engine.counting:
            raise ProviderFatalError(client.status().last_error or "the client is closed")
        features.restore()
        client.engine.unfollow(self._turn)
        client.engine.follow(self._turn)
        ready = client.wait_ready(self._ready_within)
        if ready:
            client.flush(max(until - monotonic(), 0.0))  # a turn, in which features are asked for
        self._announcer.begin(_known(serving), ready=ready)
        if not ready:
            raise ProviderNotReadyError(client.status().last_error or f"no snapshot within {self._ready_within} s")

    def shutdown(self) -> None:
        """Leave the client alone again. May be called twice, and `initialize` after it."""
        serving, self._serving = self._serving, None
        if serving is None:
            return
        serving.client.engine.unfollow(self._turn)
        if self._given is None:
            serving.client.close()

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - as OpenFeature has it
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(FlagType.BOOLEAN, flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(FlagType.STRING, flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._resolve(FlagType.INTEGER, flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return self._resolve(FlagType.FLOAT, flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: Structure, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Structure]:
        return self._resolve(FlagType.OBJECT, flag_key, default_value, evaluation_context)

    def _resolve(
        self, kind: FlagType, flag: str, default: FlagValueType, context: EvaluationContext | None
    ) -> FlagResolutionDetails[Any]:
        serving, context = self._serving, context or EvaluationContext()
        if serving is None:
            raise ProviderNotReadyError("the provider is not initialised, or shut down")
        client, flag_set = serving.client, serving.features.in_force
        is_decided = flag in client.engine.snapshot.flags
        if flag_set is None or flag not in flag_set.features:
            if is_decided and kind is not FlagType.STRING:
                raise TypeMismatchError(f"flag {flag} is a migration, its value is a backend's name: ask for a string")
            return resolve_migration(client, flag, str(default), context)
        if not is_decided:
            return resolve_feature(client.engine, flag_set, (kind, flag, default), context)
        details: FlagResolutionDetails[Any] = resolve_migration(client, flag, "", context)
        details.value = flag_set.value(kind, flag, details.value)
        details.flag_metadata = {**details.flag_metadata, "kind": "feature"}
        return details

    def _turn(self, get: Get) -> None:
        serving = self._serving
        if serving is None:
            return
        client, features = serving
        features.turn(get, client.engine.snapshot)
        health = health_of(client.status(), features.trouble, has_features=features.in_force is not None)
        self._announcer.turn(health, _known(serving))


def _serving(client: Client) -> Serving:
    return Serving(client, Features(client.kept("features")))


def _known(serving: Serving) -> Known:
    snapshot = serving.client.engine.snapshot
    return Known(snapshot.version, snapshot.flags, serving.features.known)
