"""A real server in a process of its own, to be stopped, killed and frozen."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PATIENCE = 60.0  # seconds; only a broken server takes them
SDK_TOKEN = "tb_sdk_of-the-tests-0123456789"
_ROOT = Path(__file__).resolve().parents[2]


class ServerProcess:
    """`throwbar serve` (or another command) with its output in hand."""

    def __init__(self, folder: Path, database_url: str, *arguments: str, command: str = "serve", **settings: str):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROWBAR_")}
        own = {
            "THROWBAR_DATABASE_URL": database_url,
            "THROWBAR_SECRET_KEY": "a secret key of the tests",
            "THROWBAR_BOOTSTRAP_SDK_TOKEN": SDK_TOKEN,
            "PYTHONPATH": str(_ROOT),
        }
        self.folder = folder
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "web.cli", command, *arguments],
            cwd=folder,
            env=inherited | own | {f"THROWBAR_{name.upper()}": value for name, value in settings.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that its workers can be killed with it
        )
        self._readers = [
            threading.Thread(target=_gather, args=(self._process.stdout, self.lines), daemon=True),
            threading.Thread(target=_gather, args=(self._process.stderr, self.errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def port(self) -> int:
        found = re.search(r"listens on http://\S+:(\d+)", self.output)
        assert found, self.output + self.complaints
        return int(found[1])

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def complaints(self) -> str:
        return "".join(self.errors)

    def until_ready(self) -> Self:
        self.until(lambda: "listens on" in self.output)
        self.until(lambda: self.status("/readyz") == http.client.OK)
        return self

    def until(self, condition: Callable[[], object]) -> None:
        """Until it is true, while the process lives."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process.poll() is None, f"it ended:\n{self.complaints}"
            assert time.monotonic() < deadline, f"it never happened:\n{self.complaints}"
            time.sleep(0.01)

    def status(self, path: str) -> int | None:
        """None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code


def _gather(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line)  # noqa: PERF402 - each line at once, not all at the end
