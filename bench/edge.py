"""What does a service cost the server? Processor time of the server's process, by what services ask of it.

The load comes from this process, over loopback and kept-alive connections, and is not counted. `docs/scaling.md`
reckons with these figures.
"""

import asyncio
import gzip
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from bench.databases import stores
from bench.retention import arm_of
from controlplane.domain.flag import Side
from controlplane.store import Store
from controlplane.store.tables import journal
from controlplane.usecases import flags
from controlplane.usecases.changing import Place
from controlplane.usecases.leading import lead
from controlplane.usecases.telemetry import fold
from tests.builders import NOW, a_cause, a_flag_document
from tests.infrastructure.server_process import SDK_TOKEN, ServerProcess

FLAGS = 100
OPERATIONS = {"echo": {"percent": 10}, "simple_predict": {"percent": 0}}
NUMBER = {"polls": 5_000, "reports": 10_000}
CONNECTIONS = {"polls": 32, "reports": 256}  # reports share commits, the more the busier the server is
CELLS = 10  # of a report: five operations on both sides
WAITING = 2_000
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Asked = tuple[float, float]  # requests a second, and microseconds of the server's processor time for each


def main() -> None:
    for name, store in stores():
        for key in range(FLAGS):
            document = a_flag_document(key=f"flag-{key}", operations=OPERATIONS)
            flags.create_flag(store, "production", document, a_cause())
        with serving(store) as server:
            asyncio.run(measure(name, store, server))


@contextmanager
def serving(store: Store) -> Iterator[ServerProcess]:
    url = store.engine.url.render_as_string(hide_password=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder), url, "--port", "0", "--no-scheduler") as server,
    ):
        yield server.until_ready()


async def measure(name: str, store: Store, server: ServerProcess) -> None:
    whole, etag = await _snapshot(server.port)
    small = gzip.compress(whole)
    say(name, f"snapshot of {FLAGS} flags", f"{len(whole):,} bytes, {len(small):,} as gzip")
    tell(name, "poll, 304", await load(server, "polls", lambda _: _get(f"If-None-Match: {etag}\r\n")))
    tell(name, "poll, 200 as gzip", await load(server, "polls", lambda _: _get("Accept-Encoding: gzip\r\n")))
    tell(name, "OFREP, one flag", await load(server, "polls", _evaluating))
    body = len(_report("full-00000000", 10_000, CELLS))
    tell(name, "report without cells", await load(server, "reports", _posting(0)))
    journalled = _journalled(store)
    tell(name, f"report of {CELLS} cells, {body:,} bytes", await load(server, "reports", _posting(CELLS)))
    _fold(name, store, journalled)
    say(name, "nobody connected, after all that", f"{_memory(server.pid) / 2**20:.0f} MiB")
    await _wait(name, store, server, etag)


def _journalled(store: Store) -> int:
    """Bytes of reports that wait to be folded."""
    with store.engine.connect() as connection:
        return connection.execute(select(func.coalesce(func.sum(func.length(journal.c.body)), 0))).scalar_one()


def _fold(name: str, store: Store, before: int) -> None:
    """What the scheduler that leads has to do with the reports: their way from the journal into buckets."""
    say(
        name,
        "… in the journal, until it is folded",
        f"{(_journalled(store) - before) / NUMBER['reports']:,.0f} bytes each",
    )
    lease = lead(store, "bench", NOW, timedelta(days=3_650))
    assert lease
    spent = time.process_time()
    fold(store, lease)
    say(name, "… folded into buckets", f"{(time.process_time() - spent) / NUMBER['reports'] * 1e6:.0f} µs CPU each")


async def load(server: ServerProcess, what: str, request) -> Asked:
    """`request(n)` is the n-th one, in bytes; they are spread over the connections, each waiting for its answer."""
    number = NUMBER[what]
    lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CONNECTIONS[what])]
    numbers = iter(range(number))

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in numbers:
            writer.write(request(each))
            await _answer(reader)

    began, spent = time.perf_counter(), _processor(server.pid)
    await asyncio.gather(*(ask(*line) for line in lines))
    took, spent = time.perf_counter() - began, _processor(server.pid) - spent
    for _, writer in lines:
        writer.close()
    return number / took, spent / number * 1e6


async def _wait(name: str, store: Store, server: ServerProcess, etag: str) -> None:
    """Hanging polls: what a client that waits costs, and when the last of them hears of a flip."""
    before = _memory(server.pid)
    async with _hanging(server.port, etag) as readers:
        say(name, f"{WAITING:,} hanging polls", f"{(_memory(server.pid) - before) / WAITING / 1024:.0f} KiB each")
        spent = _processor(server.pid)
        await asyncio.sleep(5)
        say(name, "… while nothing happens", f"{(_processor(server.pid) - spent) / 5:.1%} of a core")
        spent = _processor(server.pid)
        flags.disable_flag(store, Place("production", "flag-7"), a_cause())
        began = time.perf_counter()
        await asyncio.gather(*(_answer(reader) for reader in readers))
        took = time.perf_counter() - began
        each = (_processor(server.pid) - spent) / WAITING * 1e6
        say(name, "… until the last has heard of a flip", f"{took:.2f} s, {each:.0f} µs CPU each")


@asynccontextmanager
async def _hanging(port: int, etag: str) -> AsyncIterator[list[asyncio.StreamReader]]:
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(WAITING)]
    for _, writer in lines:
        writer.write(_get(f"If-None-Match: {etag}\r\nPrefer: wait=60\r\nAccept-Encoding: gzip\r\n"))
    await asyncio.sleep(2)
    yield [reader for reader, _ in lines]
    for _, writer in lines:
        writer.close()


async def _snapshot(port: int) -> tuple[bytes, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_get(""))
    head, body = await _answer(reader)
    writer.close()
    return body, head["etag"]


async def _answer(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.split()[1] in {"200", "202", "304"}, head
    fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
    return fields, await reader.readexactly(int(fields.get("content-length", 0)))


def _get(headers: str) -> bytes:
    return f"GET /sdk/v1/snapshot HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SDK_TOKEN}\r\n{headers}\r\n".encode()


def _evaluating(number: int) -> bytes:
    body = b'{"context": {"targetingKey": "session-%06d", "operation": "echo"}}' % number
    head = f"POST /ofrep/v1/evaluate/flags/flag-7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SDK_TOKEN}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _posting(cells: int) -> Callable[[int], bytes]:
    """The n-th report of 500 processes by turns. Its body is written once: this process must not be the slower."""
    kind = "full" if cells else "empty"
    body = _report(f"{kind}-00000000", 10_000, cells)
    head = f"POST /sdk/v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SDK_TOKEN}\r\n"
    whole = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def posted(number: int) -> bytes:
        named = whole.replace(b"-00000000", b"-%08d" % (number % 500), 1)
        return named.replace(b'"sequence":10000', b'"sequence":%d' % (number // 500 + 10_000), 1)

    return posted


def _report(instance: str, sequence: int, cells: int) -> bytes:
    """Its cells have a hundred calls each."""
    at = int(time.time()) // 10 * 10 - 10  # noqa: TID251 - reports are of now
    return json.dumps(
        {
            "schema": 1,
            "instance": instance,
            "service": "bench",
            "sdk": "throwbar-python/0.1.0",
            "sequence": sequence,
            "sent_at": float(at + 10),
            "source": "",
            "version": 1,
            "cells": [_cell(f"operation-{number}", side, at, number) for number in range(cells // 2) for side in Side],
        },
        separators=(",", ":"),
    ).encode()


def _cell(operation: str, side: Side, at: int, seed: int) -> dict[str, object]:
    arm = _ARMS[seed]
    told = {
        "flag": "flag-1", "operation": operation, "side": side.value, "backend": f"{side}-pool", "attempt": 1,
        "assigned_by": "share", "share": 10_000, "start": at, "calls": arm.calls, "ok": arm.calls - arm.bad,
        "errors": dict(arm.errors), "pending": 0, "keys": arm.keys, "bad_keys": arm.bad_keys,
    }  # fmt: skip
    histograms = {"latency": arm.latency, "key_latency": arm.key_latency}
    rise = {"from": arm.rise_from, "to": arm.rise_to}
    return {**told, **{name: _histogram(counts) for name, counts in histograms.items()},
            "key_rise": {name: _histogram(counts) for name, counts in rise.items()}}  # fmt: skip


_ARMS = [arm_of(seed, 100) for seed in range(CELLS)]


def _histogram(counts) -> dict[str, int]:
    return {str(index): number for index, number in counts.items()}


def _processor(pid: int) -> float:
    """Seconds of processor time of all threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _memory(pid: int) -> int:
    """Bytes that are its own."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))


def tell(database: str, what: str, asked: Asked) -> None:
    rate, microseconds = asked
    say(database, what, f"{microseconds:.0f} µs CPU each, {rate:,.0f}/s")


def say(database: str, what: str, figures: str) -> None:
    print(f"{database:12}{what:44}{figures}", flush=True)


if __name__ == "__main__":
    main()
