"""The candidate backend: worker processes that speak JSON over Unix sockets."""

import socket
import subprocess
import tempfile
from pathlib import Path

from web.cli.demo import process
from web.cli.demo.pool import Pool, WorkerDied

NAME = "snakepit"


class SocketWorker:
    """One subprocess, and the only connection to it."""

    def __init__(self, running: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = running
        self._connection = connection
        self._answers = process.LineReader(connection.fileno())

    def exchange(self, request: bytes, until: float) -> bytes:
        process.write(self._connection.fileno(), request)
        return self._answers.line(until)

    def close(self) -> None:
        self._connection.close()
        process.end(self._process)


def snakepit(*, size: int, timeout: float = 1.0, fault_file: Path | None = None) -> Pool:
    """The pool, with all its workers trained."""
    return Pool(NAME, lambda: _start_worker(fault_file), size=size, timeout=timeout)


def _start_worker(fault_file: Path | None) -> SocketWorker:
    """The socket's path is needed until both ends have met, and gone before anybody could be killed beside it.

    Under /tmp, because such a path may have a hundred characters, and TMPDIR is long on some machines.
    """
    with tempfile.TemporaryDirectory(prefix="throwbar-", dir="/tmp") as folder:
        path = Path(folder) / "worker.sock"
        running = process.start("--socket", str(path), fault_file=fault_file)
        return SocketWorker(running, _connected(path, running))


def _connected(path: Path, running: subprocess.Popen[bytes]) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        process.end(running)
        raise WorkerDied(f"the worker died as it was started: {error}") from error
    return connection
