"""The baseline backend: worker processes that speak JSON over pipes."""

import subprocess
from pathlib import Path

from web.cli.demo import process
from web.cli.demo.pool import Pool

NAME = "python_pool_v2"


class PipeWorker:
    """One subprocess, asked on its stdin, answering on its stdout."""

    def __init__(self, running: subprocess.Popen[bytes]) -> None:
        assert running.stdin is not None
        assert running.stdout is not None
        self._process = running
        self._requests = running.stdin.fileno()
        self._answers = process.LineReader(running.stdout.fileno())

    def exchange(self, request: bytes, until: float) -> bytes:
        process.write(self._requests, request)
        return self._answers.line(until)

    def close(self) -> None:
        process.end(self._process)


def python_pool_v2(*, size: int, timeout: float = 1.0, fault_file: Path | None = None) -> Pool:
    """The pool, with all its workers trained."""

    def start_worker() -> PipeWorker:
        return PipeWorker(process.start("--pipe", fault_file=fault_file))

    return Pool(NAME, start_worker, size=size, timeout=timeout)
