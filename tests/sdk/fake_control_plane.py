"""A control plane in a few lines: a function transport, builders of what crosses the wire, and clocks set by hand."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).parent.parent / "contract"


def a_flag(**changes: Any) -> dict[str, Any]:
    flag = {
        "kind": "migration",
        "baseline": "old",
        "candidate": "new",
        "enabled": True,
        "rolled_back": False,
        "attempt": 1,
        "rules": [],
        "operations": {"read": {"share": 50_000, "mode": "single", "rolled_back": False}},
    }
    return flag | changes


def a_share(share: int, **changes: Any) -> dict[str, Any]:
    return {"read": {"share": share, "mode": "single", "rolled_back": False} | changes}


def a_document(
    version: int = 1, *, source: str = "s1", flags: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    document = {
        "schema": 1,
        "environment": "test",
        "source": source,
        "version": version,
        "bucketing": "flagd-v3",
        "telemetry": {"bucket_seconds": 10, "outcome_deadline_seconds": 10.0},
        "flags": {"orders": a_flag()} if flags is None else flags,
    }
    return document | changes


def a_definition(
    version: int = 1, features: dict[str, Any] | None = None, *, source: str = "s1", **changes: Any
) -> dict[str, Any]:
    """A flagd definition as the control plane publishes it."""
    return {
        "metadata": {"flagSetId": "test", "version": str(version)},
        "throwbar": {"source": source, "version": version, "bucketing": "flagd-v3"},
        "flags": features or {},
    } | changes


def a_feature(variants: dict[str, Any] | None = None, default: str = "off", **changes: Any) -> dict[str, Any]:
    return {
        "state": "ENABLED",
        "variants": variants or {"on": True, "off": False},
        "defaultVariant": default,
        "metadata": {"kind": "feature"},
    } | changes


class Clock:
    """Seconds since the epoch that move when told."""

    def __init__(self, now: float = 1_790_000_010.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


class PerfClock:
    """Nanoseconds that move when told."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


class FakeControlPlane:
    """Answers like the real one. `down` or a `status` makes it fail; `reports` are what it acknowledged.

    `definition` are its features, None for a control plane without such a door; `definition_body` is sent as it is.
    `announced` is the version that answers to reports name, where it is not the one that polls get.
    """

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = document or a_document()
        self.body: bytes | None = None
        self.definition: dict[str, Any] | None = None
        self.definition_body: bytes | None = None
        self.down: Exception | None = None
        self.status: dict[str, int] = {}
        self.requests: list[tuple[str, dict[str, str], bytes | None]] = []
        self.asked_for_features: list[dict[str, str]] = []
        self.reports: list[dict[str, Any]] = []
        self.on_request: Callable[[], None] = lambda: None
        self.announced = 0

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.requests.append((method, dict(headers), body))
        self.on_request()
        if self.down is not None:
            raise self.down
        if method in self.status:
            return self.status[method], {}, b""
        if path.startswith("/flagd"):
            self.asked_for_features.append(dict(headers))
            return self._features(headers)
        return self._snapshot(headers) if method == "GET" else self._accept(body or b"")

    def asked(self, method: str) -> list[tuple[str, dict[str, str], bytes | None]]:
        return [request for request in self.requests if request[0] == method]

    @property
    def cells(self) -> list[dict[str, Any]]:
        return [cell for report in self.reports for cell in report["cells"]]

    def _snapshot(self, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        etag = f'"{self.document["source"]}.{self.document["version"]}"'
        if headers.get("If-None-Match") == etag and self.body is None:
            return 304, {"etag": etag}, b""
        return 200, {"etag": etag}, json.dumps(self.document).encode() if self.body is None else self.body

    def _features(self, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        if "/flagd" in self.status:
            return self.status["/flagd"], {}, b""
        if self.definition_body is not None:
            return 200, {}, self.definition_body
        if self.definition is None:
            return 404, {}, b""
        ours = self.definition["throwbar"]
        etag = f'"{ours["source"]}.{ours["version"]}"'
        if headers.get("If-None-Match") == etag:
            return 304, {"etag": etag}, b""
        return 200, {"etag": etag}, json.dumps(self.definition).encode()

    def _accept(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        self.reports.append(json.loads(body))
        answer = {"version": self.announced or self.document["version"], "source": self.document["source"]}
        return 202, {}, json.dumps(answer).encode()
