"""A fleet of services that is made up, and tells the real doors of it: what it was told to serve, and how that went.

Reports are written here rather than by the SDK, so that each of them can be late, lost, sent twice, or about a snapshot
that the process should long have dropped. Every key is a session that calls once: each is seen for the first time.
"""

import http.client
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controlplane.domain.histogram import index_of
from tests.stories.world import BUCKET, PATIENCE, World
from tests.web.edge.plane import wait_until

FULL = 100_000


@dataclass(frozen=True)
class Weather:
    """What one bucket is like: keys a bucket over the whole fleet, and how often each side fails or hangs.

    `burst` is how many processes count the same failing key.
    """

    keys: int = 2_000
    baseline: float = 0.01
    candidate: float = 0.01
    hangs: float = 0.0
    burst: int = 1


@dataclass
class Process:
    """One process of a service. `stale` says that it stays at the first share above zero that it was told."""

    name: str
    stale: bool = False
    sequence: int = 0
    etag: str | None = None
    route: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    version: int = 0

    @property
    def share(self) -> int:
        """0 before it has heard of the flag."""
        return int(self.route["operations"]["echo"]["share"]) if self.route else 0


@dataclass(frozen=True)
class Post:
    """How reports travel: sent so many times each, some lost for good, the candidate's cells some buckets late."""

    copies: int = 1
    lost: float = 0.0
    candidate_late: int = 0


class Fleet:
    """Serves bucket by bucket, by the clock of its world."""

    def __init__(self, world: World, processes: int = 4, *, stale: int = 0, post: Post = Post(), seed: int = 1) -> None:
        self.world = world
        self.post = post
        self.random = random.Random(seed)
        self.processes = [Process(f"i-{number}", stale=number < stale) for number in range(processes)]
        self.held_back: list[tuple[int, Process, list[dict[str, Any]]]] = []
        self.buckets = 0
        wait_until(lambda: 0 not in self.shares())

    def live(self, weather: Weather) -> None:
        """One bucket: ask for the snapshot, serve, and tell of it after its end; then the scheduler looks."""
        start = int(self.world.clock().timestamp()) // 10 * 10
        for process in self.processes:
            self._poll(process)
        told = [(process, list(self._cells(process, weather, start))) for process in self.processes]
        self.world.pass_by(BUCKET)
        self.buckets += 1
        for process, cells in told:
            self._send(process, cells)
        self._send_held_back()
        self.world.tick()

    def until(self, over: Callable[[], bool], weather: Callable[[int], Weather], most: int = 120) -> bool:
        """Bucket after bucket until something is over; whether it came to that."""
        for number in range(most):
            if over():
                return True
            self.live(weather(number))
        return over()

    def shares(self) -> set[int]:
        """What the processes obey once they have asked again."""
        for process in self.processes:
            self._poll(process)
        return {process.share for process in self.processes}

    def _poll(self, process: Process) -> None:
        if process.stale and process.share:
            return
        headers = {"If-None-Match": process.etag} if process.etag else {}
        status, answered, body = self._ask("GET", "/sdk/v1/snapshot", None, headers)
        if status == 200:
            snapshot = json.loads(body)
            process.etag, process.source, process.version = answered["etag"], snapshot["source"], snapshot["version"]
            process.route = snapshot["flags"].get("dspex-bridge", {})

    def _cells(self, process: Process, weather: Weather, start: int) -> Iterator[dict[str, Any]]:
        share = process.share
        keys = weather.keys // len(self.processes)
        ours = self._draw(keys, share / FULL)
        yield self._cell(process, "baseline", keys - ours, weather.baseline, replace(weather, hangs=0.0), start)
        if ours:
            yield self._cell(process, "candidate", ours, weather.candidate, weather, start)

    def _cell(
        self, process: Process, side: str, keys: int, rate: float, weather: Weather, start: int
    ) -> dict[str, Any]:
        failed = self._draw(keys, rate / weather.burst) * weather.burst
        failed = min(failed, keys)
        hanging = self._draw(keys - failed, weather.hangs)
        quick, slow = str(index_of(20.0)), str(index_of(10_000.0))
        times = {quick: keys - hanging} | ({slow: hanging} if hanging else {})
        return {
            "flag": "dspex-bridge",
            "operation": "echo",
            "side": side,
            "backend": process.route[side],
            "attempt": process.route["attempt"],
            "assigned_by": "share",
            "share": process.share,
            "start": start,
            "calls": keys,
            "ok": keys - failed - hanging,
            "errors": {"timeout": failed} if failed else {},
            "pending": hanging,
            "latency": times,
            "keys": keys,
            "bad_keys": failed + hanging,
            "key_latency": times,
            "key_rise": {"from": {}, "to": times},
        }

    def _draw(self, number: int, rate: float) -> int:
        return sum(self.random.random() < rate for _ in range(number))

    def _send(self, process: Process, cells: list[dict[str, Any]]) -> None:
        if self.random.random() < self.post.lost:
            return
        if self.post.candidate_late:
            late = [cell for cell in cells if cell["side"] == "candidate"]
            self.held_back.append((self.buckets + self.post.candidate_late, process, late))
            cells = [cell for cell in cells if cell["side"] == "baseline"]
        self._report(process, cells)

    def _send_held_back(self) -> None:
        due = [each for each in self.held_back if each[0] <= self.buckets]
        self.held_back = [each for each in self.held_back if each[0] > self.buckets]
        for _, process, cells in due:
            self._report(process, cells)

    def _report(self, process: Process, cells: list[dict[str, Any]]) -> None:
        process.sequence += 1
        document = {
            "schema": 1,
            "instance": process.name,
            "service": "bridge-api",
            "sdk": "a fleet",
            "sequence": process.sequence,
            "sent_at": self.world.clock().timestamp(),
            "source": process.source,
            "version": process.version,
            "cells": cells,
        }
        for _ in range(self.post.copies):
            status, _, body = self._ask("POST", "/sdk/v1/reports", json.dumps(document))
            assert status == 202, body

    def _ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str] = {}
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {self.world.sdk}", "Content-Type": "application/json", **headers}
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()
