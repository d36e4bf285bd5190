"""How a worker process is started, spoken to and ended."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

from web.cli.demo.pool import PoolTimeout, WorkerDied
from web.cli.demo.worker import READY

START_TIMEOUT = 60.0  # seconds: a cold disk and a busy machine, not a habit
CHUNK = 65_536


def start(*options: str, fault_file: Path | None) -> subprocess.Popen[bytes]:
    """A trained worker, ready to be asked. Its stdin is its lifeline. Raises WorkerDied, PoolTimeout."""
    faults = ["--fault-file", str(fault_file)] if fault_file else []
    # -P: a folder named web, where the demo happens to be started, is not ours.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "web.cli.demo.worker", *options, *faults],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,  # Ctrl-C is for the demo, which then ends its workers in order
    )
    try:
        LineReader(_stdout(process)).expect(READY, time.monotonic() + START_TIMEOUT)
    except (PoolTimeout, WorkerDied):
        end(process)
        raise
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill and reap. A worker keeps nothing that a gentler end could save."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    process.wait()


def _stdout(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return process.stdout.fileno()


class LineReader:
    """Whole lines from a file descriptor, within a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def line(self, until: float) -> bytes:
        """The next line. Raises PoolTimeout, and WorkerDied at the end of the stream."""
        while b"\n" not in self._pending:
            readable, _, _ = select.select([self._descriptor], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                raise PoolTimeout("the worker did not answer in time")
            self._pending += self._chunk()
        line, _, self._pending = self._pending.partition(b"\n")
        return line + b"\n"

    def expect(self, wanted: bytes, until: float) -> None:
        line = self.line(until)
        if line != wanted:
            raise WorkerDied(f"the worker said {line!r} where {wanted!r} was due")

    def _chunk(self) -> bytes:
        try:
            chunk = os.read(self._descriptor, CHUNK)
        except ConnectionError as error:
            raise WorkerDied(f"the worker is gone: {error}") from error
        if not chunk:
            raise WorkerDied("the worker is gone: its stream ended in the middle of a call")
        return chunk


def write(descriptor: int, data: bytes) -> None:
    """All of it. Raises WorkerDied when nobody reads any more."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except ConnectionError as error:
        raise WorkerDied(f"the worker is gone: {error}") from error
