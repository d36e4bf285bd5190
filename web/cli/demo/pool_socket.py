"""The candidate backend: worker processes that speak JSON over Unix sockets."""

import itertools
import socket
import subprocess
from pathlib import Path

from web.cli.demo import process
from web.cli.demo.pool import Pool, WorkerDied

NAME = "snakepit"


class SocketWorker:
    """One subprocess that listens at a path of its own; the pool holds the only connection."""

    def __init__(self, running: subprocess.Popen[bytes], path: Path) -> None:
        self._process = running
        self._path = path
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.connect(str(path))
        except OSError as error:
            self.close()
            raise WorkerDied(f"the worker died as it was started: {error}") from error
        self._answers = process.LineReader(self._connection.fileno())

    def exchange(self, request: bytes, until: float) -> bytes:
        process.write(self._connection.fileno(), request)
        return self._answers.line(until)

    def close(self) -> None:
        self._connection.close()
        process.end(self._process)
        self._path.unlink(missing_ok=True)


def snakepit(*, size: int, folder: Path, timeout: float = 1.0, fault_file: Path | None = None) -> Pool:
    """The pool, with all its workers trained; their sockets live in `folder`, whose path must be short."""
    numbers = itertools.count(1)

    def start_worker() -> SocketWorker:
        path = folder / f"snakepit-{next(numbers)}.sock"
        return SocketWorker(process.start("--socket", str(path), fault_file=fault_file), path)

    return Pool(NAME, start_worker, size=size, timeout=timeout)
