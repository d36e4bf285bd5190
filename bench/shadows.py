"""What do second calls add to a caller's latency, when the candidate hangs for 300 ms and every call has one?

Wall-clock percentiles of a read that takes 2 ms, with 1.75 kB of arguments; run as `python -m bench.shadows`.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import throwbar
from bench.calls import _Server
from bench.fixtures import KEYS, document

CALLS = 1_500
THREADS = 4
ROUNDS = 7
WORK_SECONDS, HANG_SECONDS = 0.002, 0.3
PAYLOAD = {"lines": [{"id": number, "sku": f"sku-{number:04d}", "price": number * 1.5} for number in range(30)]}


def work(payload: dict[str, Any]) -> int:
    time.sleep(WORK_SECONDS)
    return len(payload)


def hang(payload: dict[str, Any]) -> int:
    time.sleep(HANG_SECONDS)
    return len(payload)


async def work_async(payload: dict[str, Any]) -> int:
    await asyncio.sleep(WORK_SECONDS)
    return len(payload)


async def hang_async(payload: dict[str, Any]) -> int:
    await asyncio.sleep(HANG_SECONDS)
    return len(payload)


def operation(mode: str, baseline: Callable[..., Any], candidate: Callable[..., Any]) -> Callable[..., Any]:
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
    return echo


def by_threads(call: Callable[..., Any]) -> list[int]:
    spans: list[int] = []

    def serve() -> None:
        for key in KEYS[: CALLS // THREADS]:
            begun = time.perf_counter_ns()
            call(PAYLOAD, key=key)
            spans.append(time.perf_counter_ns() - begun)

    threads = [threading.Thread(target=serve) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(spans)


async def by_tasks(call: Callable[..., Awaitable[Any]]) -> list[int]:
    spans: list[int] = []

    async def serve() -> None:
        for key in KEYS[: CALLS // THREADS]:
            begun = time.perf_counter_ns()
            await call(PAYLOAD, key=key)
            spans.append(time.perf_counter_ns() - begun)

    await asyncio.gather(*(serve() for _ in range(THREADS)))
    return sorted(spans)


def percentiles(spans: list[int]) -> list[float]:
    """p50, p95 and p99 in milliseconds."""
    return [spans[int(len(spans) * share)] / 1e6 for share in (0.5, 0.95, 0.99)]


def tell(name: str, measure: Callable[[str], list[int]]) -> None:
    """Rounds of both modes in turn, and the median of each percentile, so that a busy machine disturbs both alike."""
    modes: dict[str, list[list[float]]] = {"single": [], "shadow": []}
    for _ in range(ROUNDS):
        for mode, rounds in modes.items():
            rounds.append(percentiles(measure(mode)))
    for mode, rounds in modes.items():
        print(f"{f'{name}, {mode}':44}" + "".join(f"{median(spans):10.3f}" for spans in zip(*rounds, strict=True)))


def main() -> None:
    print(f"\nshadow calls of a candidate that hangs\n{'':44}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}")
    tell("4 threads", lambda mode: by_threads(operation(mode, work, hang)))
    tell("4 tasks", lambda mode: asyncio.run(by_tasks(operation(mode, work_async, hang_async))))


if __name__ == "__main__":
    main()
