"""How does a service that speaks OpenFeature ask for flags? For `pip install throwbar[openfeature]`; nothing else
imports this.

    openfeature.api.set_provider(ThrowbarProvider(client))

A migration is a flag whose value is the name of a backend: `client.get_string_value("dspex-bridge", "python_pool_v2",
EvaluationContext(session_id, {"operation": "echo"}))`. It is what `decide` says, breakers, pins and local overrides
included. Nobody measures what is done with it: that is what `Migration.operation` is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ProviderFatalError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagType, FlagValueType
from openfeature.provider import AbstractProvider, Metadata

from throwbar.client import Client
from throwbar.engine import Get
from throwbar.openfeature_events import Announcer, Health, state_of
from throwbar.openfeature_migrations import resolve_migration

NAME = "throwbar"
Structure = Sequence[FlagValueType] | Mapping[str, FlagValueType]


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
        self._client: Client | None = None
        self._announcer = Announcer(self.emit)

    def get_metadata(self) -> Metadata:
        return Metadata(NAME)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Raises ProviderFatalError where no snapshot can ever come, ProviderNotReadyError where none came in time."""
        del evaluation_context  # what is evaluated gets it merged in
        client = self._client = self._client or self._given or Client()
        if not client.engine.counting:
            raise ProviderFatalError(client.status().last_error or "the client is closed")
        client.engine.unfollow(self._turn)
        client.engine.follow(self._turn)
        ready = client.wait_ready(self._ready_within)
        self._announcer.begin(client.engine.snapshot, ready=ready)
        if not ready:
            raise ProviderNotReadyError(client.status().last_error or f"no snapshot within {self._ready_within} s")

    def shutdown(self) -> None:
        """Leave the client alone again. May be called twice, and `initialize` after it."""
        client, self._client = self._client, None
        if client is None:
            return
        client.engine.unfollow(self._turn)
        if self._given is None:
            client.close()

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
        client = self._client
        if client is None:
            raise ProviderNotReadyError("the provider is not initialised, or shut down")
        if kind is not FlagType.STRING and flag in client.engine.snapshot.flags:
            raise TypeMismatchError(
                f"flag {flag} is a migration: its value is the name of a backend, so ask for a string"
            )
        return resolve_migration(client, flag, str(default), context or EvaluationContext())

    def _turn(self, get: Get) -> None:
        del get
        client = self._client
        if client is not None:
            status = client.status()
            health = Health(state_of(status), status.last_error)
            self._announcer.turn(health, client.engine.snapshot)
