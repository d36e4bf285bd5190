"""What do second calls add to a caller's latency, when the candidate hangs for 300 ms and every call has one?

Wall-clock percentiles of a read that takes 2 ms, with 1.75 kB of arguments, from four threads and from four tasks.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import throwbar
from bench.calls import _Server
from bench.fixtures import document
from bench.peers import launchdarkly_read
from bench.scale import Scale
from bench.scores import Score, present

THREADS = 4
WORK_SECONDS = 0.002
PAYLOAD = {"lines": [{"id": number, "sku": f"sku-{number:04d}", "price": number * 1.5} for number in range(30)]}
GOAL_MS = 1.0
PEER = "LaunchDarkly, Migrator.read in its stage shadow, 4 threads"
Spans = list[int]  # nanoseconds, the shortest first


def scores(scale: Scale) -> Iterator[Score]:
    calls = max(scale.calls // 13, 40)
    sides = {
        "4 threads": lambda mode: by_threads(*_operation(mode, _work, partial(_hang, scale.hang_seconds)), calls),
        "4 tasks": lambda mode: asyncio.run(
            by_tasks(*_operation(mode, _work_async, partial(_hang_async, scale.hang_seconds)), calls)
        ),
    }
    for name, measure in sides.items():
        rounds = [(percentiles(measure("single")), percentiles(measure("shadow"))) for _ in range(scale.rounds)]
        for place, which in enumerate(("p50", "p99")):
            added = median(shadow[place] - single[place] for single, shadow in rounds)
            goal = ("< 1 ms", added < GOAL_MS) if which == "p99" else ("", None)
            yield Score(f"throwbar, {name}, {which}", f"{added:.2f} ms", "", *goal)
    with TemporaryDirectory() as folder, ExitStack() as until:
        peers = {PEER: partial(launchdarkly_read, Path(folder), until, _work, partial(_hang, scale.hang_seconds))}
        for name, read in present(peers).items():
            spans = by_threads(lambda payload, key, read=read: read("shadowed", key, payload), _nothing, 80)
            yield Score(f"{name}, p99", f"{percentiles(spans)[1] - WORK_SECONDS * 1000:.2f} ms")


def _work(payload: dict[str, Any]) -> int:
    time.sleep(WORK_SECONDS)
    return len(payload)


def _hang(seconds: float, payload: dict[str, Any]) -> int:
    time.sleep(seconds)
    return len(payload)


async def _work_async(payload: dict[str, Any]) -> int:
    await asyncio.sleep(WORK_SECONDS)
    return len(payload)


async def _hang_async(seconds: float, payload: dict[str, Any]) -> int:
    await asyncio.sleep(seconds)
    return len(payload)


def _nothing() -> None: ...


def _operation(
    mode: str, baseline: Callable[..., Any], candidate: Callable[..., Any]
) -> tuple[Callable[..., Any], Callable[[], None]]:
    """One whose every call goes to the baseline and, in mode shadow, to the candidate as well; and how to end it."""
    snapshot = document(1)
    snapshot["flags"]["flag-0"]["operations"]["echo"] |= {"share": 0, "mode": mode, "shadow_share": 100_000}
    client = throwbar.Client(
        *("http://bench.test", "t"),
        backup_file=False,
        transport=_Server(json.dumps(snapshot).encode()),
        poll_interval=3600,
        report_interval=3600,
    )
    assert client.wait_ready(30)
    echo = client.migration("flag-0").operation("echo", kind=throwbar.READ, deadline=5.0)
    echo.baseline(baseline)
    echo.candidate(candidate)
    return echo, client.close


def by_threads(call: Callable[..., Any], end: Callable[[], None], calls: int) -> Spans:
    spans: Spans = []

    def serve() -> None:
        for key in _keys(calls):
            begun = time.perf_counter_ns()
            call(PAYLOAD, key=key)
            spans.append(time.perf_counter_ns() - begun)

    threads = [threading.Thread(target=serve) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end()
    return sorted(spans)


async def by_tasks(call: Callable[..., Awaitable[Any]], end: Callable[[], None], calls: int) -> Spans:
    spans: Spans = []

    async def serve() -> None:
        for key in _keys(calls):
            begun = time.perf_counter_ns()
            await call(PAYLOAD, key=key)
            spans.append(time.perf_counter_ns() - begun)

    await asyncio.gather(*(serve() for _ in range(THREADS)))
    end()
    return sorted(spans)


def _keys(calls: int) -> list[str]:
    return [f"session-{number:08d}" for number in range(calls // THREADS)]


def percentiles(spans: Spans) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    return spans[len(spans) // 2] / 1e6, spans[int(len(spans) * 0.99)] / 1e6
