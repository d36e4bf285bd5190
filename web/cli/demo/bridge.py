"""The demo's service: dspex-bridge, whose calls Throwbar moves from one pool to the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import throwbar
from throwbar.migration import Migration
from throwbar.operation import Operation
from web.cli.demo.pool import OperationFailed, Pool, PoolTimeout, WorkerDied

FLAG = "dspex-bridge"
OPERATIONS = ("echo", "simple_predict")
BACKEND_FAILURES = (PoolTimeout, WorkerDied, OperationFailed)  # anything else that a call raises came from Throwbar


@dataclass(slots=True)
class Request:
    """A call on its way; `backend` is filled in by who takes it up first, so that the service knows without asking.

    `failed` says that this one did not answer: who called sees nothing of it where another attempt did.
    """

    session: str
    text: str
    backend: str = ""
    failed: bool = False


class Bridge:
    """Two operations, each routed by the SDK with the session as its key."""

    def __init__(self, client: throwbar.Client, *, baseline: Pool, candidate: Pool) -> None:
        migration = client.migration(FLAG)
        self._operations = {name: _routed(migration, name, baseline, candidate) for name in OPERATIONS}

    def ask(self, operation: str, request: Request) -> dict[str, Any]:
        """What the backend that Throwbar chose answers, or the baseline in its place. Raises what a backend raised."""
        result: dict[str, Any] = self._operations[operation](request, key=request.session)
        return result


def _routed(migration: Migration, name: str, baseline: Pool, candidate: Pool) -> Operation:
    operation = migration.operation(name, kind=throwbar.READ)
    operation.baseline(_call_on(baseline, name))
    operation.candidate(_call_on(candidate, name))
    return operation


def _call_on(pool: Pool, operation: str) -> Callable[[Request], dict[str, Any]]:
    def call(request: Request) -> dict[str, Any]:
        request.backend = request.backend or pool.name
        try:
            return pool.call(operation, session=request.session, text=request.text)
        except BACKEND_FAILURES:
            request.failed = True
            raise

    return call
