"""What does a routed call add to a direct one, with breaker, exact counts, key tally and histogram?"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import throwbar
from bench.fixtures import KEYS, document
from bench.measure import Row, microseconds_per_call, reference
from throwbar.client import Client


def rows() -> Iterator[Row]:
    least = reference(KEYS)
    client = _client()
    migration = client.migration("flag-7")
    direct = microseconds_per_call(_calling(_work))
    routed = migration.operation("echo", kind=throwbar.READ)
    routed.baseline(_work)
    routed.candidate(_new_work)
    yield Row("operation, added to a direct call", microseconds_per_call(_calling_by_key(routed)) - direct, least)
    decorated = migration.route("simple_predict", candidate=_new_work, key=_key_of)(_work)
    yield Row("route, added to a direct call", microseconds_per_call(_calling(decorated)) - direct, least)
    yield Row("attempt, around nothing", microseconds_per_call(_attempting(migration)), least)
    yield Row("decide, as a service calls it", microseconds_per_call(_deciding(migration)), least)
    client.close()


class _Server:
    """Knows one snapshot, and takes every report."""

    def __init__(self, snapshot: bytes) -> None:
        self._snapshot = snapshot

    def __call__(
        self,
        method: str,
        path: str,  # noqa: ARG002 - as every transport
        headers: Mapping[str, str],  # noqa: ARG002
        body: bytes | None,  # noqa: ARG002
        timeout: float,  # noqa: ARG002
    ) -> tuple[int, Mapping[str, str], bytes]:
        return (200, {}, self._snapshot) if method == "GET" else (202, {}, b"{}")


def _client() -> Client:
    """One that is ready, and whose thread sleeps while the clock runs."""
    client = Client(
        "http://bench.test",
        "t",
        backup_file=False,
        transport=_Server(json.dumps(document(2_000)).encode()),
        poll_interval=3600,
        report_interval=3600,
    )
    assert client.wait_ready(30)
    return client


def _work(session: str) -> str:
    return session


def _new_work(session: str) -> str:
    return session


def _key_of(session: str) -> str:
    return session


def _calling(function: Callable[[str], Any]) -> Callable[[], int]:
    def run() -> int:
        for key in KEYS:
            function(key)
        return len(KEYS)

    return run


def _calling_by_key(operation: Callable[..., Any]) -> Callable[[], int]:
    def run() -> int:
        for key in KEYS:
            operation(key, key=key)
        return len(KEYS)

    return run


def _attempting(migration: throwbar.Migration) -> Callable[[], int]:
    def run() -> int:
        for key in KEYS:
            with migration.attempt("echo", key=key):
                pass
        return len(KEYS)

    return run


def _deciding(migration: throwbar.Migration) -> Callable[[], int]:
    def run() -> int:
        for key in KEYS:
            migration.decide("echo", key=key)
        return len(KEYS)

    return run
