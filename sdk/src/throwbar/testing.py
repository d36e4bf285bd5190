"""How does a service test both of its backends? Calls can be forced to a side, and no server is needed.

    with throwbar.testing.forced(flag="dspex-bridge", to="candidate"):
        assert predict("hello", key="s1") == …

A forced block holds for the whole process, not for one context: tests drive thread pools, servers and event loops, and
what they run must obey as well. Blocks nest, the newest that covers a call wins, and they may end in any order.
Forced calls are counted like any other, so let tests talk to a `ControlPlane` of their own, or to none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from throwbar import forcing
from throwbar.client import Client, living
from throwbar.engine import Engine
from throwbar.errors import ConfigurationError
from throwbar.forcing import CandidateForcedDown, Order, To

__all__ = ["CandidateForcedDown", "ControlPlane", "To", "forced"]

_changing = threading.RLock()


@contextmanager
def forced(
    client: Client | None = None, flag: str | None = None, operation: str | None = None, *, to: To | str
) -> Iterator[None]:
    """Calls of this operation go where `to` says, whatever any snapshot has: None stands for all there are.

    `baseline` and `candidate` are sides. `breaker_open`: the share is 100 % and the breaker refuses every call, so the
    baseline serves. `fallback`: the candidate fails as if it could not be reached, and the baseline serves what may
    fall back; the candidate's function is not called. A `with attempt` block, and code that asks `decide`, has no
    fallback: there it is told to go to the candidate.

    Breakers of the calls covered begin anew when the block begins and when it ends. Raises ConfigurationError.
    """
    if operation is not None and flag is None:
        raise ConfigurationError(f"operation {operation!r} is of no flag: name the flag, too")
    order = Order(_to(to), None if client is None else client.engine, flag, operation)
    _change(add=order)
    try:
        yield
    finally:
        _change(remove=order)


def _to(to: To | str) -> To:
    try:
        return To(to)
    except ValueError:
        raise ConfigurationError(f"to is {to!r}, not one of {', '.join(To)}") from None


def _change(*, add: Order | None = None, remove: Order | None = None) -> None:
    with _changing:
        orders = list(forcing.orders())
        if add is not None:
            orders.append(add)
        if remove is not None:
            # The newest of equal ones: which of them goes makes no difference to any call.
            del orders[len(orders) - 1 - orders[::-1].index(remove)]
        forcing.put(tuple(orders))
        Engine.forced = forcing.obeyed if orders else None
        for client in living():
            client.engine.publish(client.engine.snapshot._replace())


class ControlPlane:
    """A control plane in the memory of a test: give it to a client as `transport`.

        plane = ControlPlane()
        plane.set("dspex-bridge", simple_predict=25)
        client = throwbar.Client("http://test", "token", transport=plane, backup_file=False)

    `set` raises the version; a client sees it at its next poll, or at `client.flush()`. `reports` are the documents
    that clients sent, each when the calls of so many seconds are over; with `down` they get no answer. May be used by
    several clients and threads.
    """

    def __init__(self, environment: str = "test", *, bucket_seconds: int = 10) -> None:
        self.down = False
        self.reports: list[dict[str, Any]] = []
        self._environment = environment
        self._bucket_seconds = bucket_seconds
        self._flags: dict[str, dict[str, Any]] = {}
        self._version = 1

    def set(
        self,
        flag: str,
        *,
        baseline: str = "baseline",
        candidate: str = "candidate",
        enabled: bool = True,
        rolled_back: bool = False,
        **operations: float,
    ) -> None:
        """Make or replace a flag; `operations` are their percents."""
        self._flags = self._flags | {
            flag: {
                "kind": "migration",
                "baseline": baseline,
                "candidate": candidate,
                "enabled": enabled,
                "rolled_back": rolled_back,
                "attempt": 1,
                "rules": [],
                "operations": {name: {"share": round(percent * 1000)} for name, percent in operations.items()},
            }
        }
        self._version += 1

    def calls(self, flag: str, operation: str, side: str) -> int:
        """How many were reported of one side so far."""
        return sum(
            cell["calls"]
            for report in list(self.reports)
            for cell in report["cells"]
            if (cell["flag"], cell["operation"], cell["side"]) == (flag, operation, side)
        )

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The transport. There are no features behind it."""
        del timeout
        if self.down:
            raise ConnectionRefusedError("the control plane is down")
        version = self._version
        if method == "POST":
            self.reports.append(json.loads(body or b"{}"))
            return 202, {}, json.dumps({"source": "memory", "version": version}).encode()
        if not path.endswith("/sdk/v1/snapshot"):
            return 404, {}, b""
        etag = f'"memory.{version}"'
        if headers.get("If-None-Match") == etag:
            return 304, {"etag": etag}, b""
        return 200, {"etag": etag}, json.dumps(self._document(version)).encode()

    def _document(self, version: int) -> dict[str, Any]:
        return {
            "schema": 1,
            "environment": self._environment,
            "source": "memory",
            "version": version,
            "bucketing": "flagd-v3",
            "telemetry": {"bucket_seconds": self._bucket_seconds, "outcome_deadline_seconds": 10},
            "flags": self._flags,
        }
