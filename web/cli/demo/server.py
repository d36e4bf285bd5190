"""A control plane of the demo's own: a child process on a free port, with its database in a temporary folder."""

import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 15.0
LAST_WORDS = 2_000  # characters of the log, when the server does not start

_LINK = re.compile(r"https?://\S*sign-in\S*")


class ServerFailed(RuntimeError):
    """The control plane did not come up; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is, and the keys to it."""

    folder: Path
    port: int
    admin_token: str = field(default_factory=lambda: f"tb_admin_{secrets.token_urlsafe(32)}", repr=False)
    sdk_token: str = field(default_factory=lambda: f"tb_sdk_{secrets.token_urlsafe(32)}", repr=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def sign_in_link(self) -> str:
        """The one-time link that the server printed, or its front page when it printed none."""
        found = _LINK.search(self.log.read_text(encoding="utf-8", errors="replace"))
        return found.group() if found else self.url


@contextmanager
def running_server(folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    """A server that is ready inside the context, and gone after it. Raises ServerFailed."""
    server = Server(folder, free_port())
    process = _start(server, settings)
    try:
        _wait_until_ready(server, process)
        yield server
    finally:
        _stop(process)


def _start(server: Server, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    address = ("--host", HOST, "--port", str(server.port))
    with server.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "web.cli.demo.tethered", "serve", *address],
            cwd=server.folder,
            env=_environment(server, settings),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in order
        )


def _environment(server: Server, settings: dict[str, str]) -> dict[str, str]:
    """Nothing of a THROWBAR_ setting that belongs to somebody else's server may reach this one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROWBAR_")}
    own = {
        "THROWBAR_DATABASE_URL": f"sqlite:///{server.folder / 'demo.db'}",
        "THROWBAR_BOOTSTRAP_ADMIN_TOKEN": server.admin_token,
        "THROWBAR_BOOTSTRAP_SDK_TOKEN": server.sdk_token,
        "PYTHONUNBUFFERED": "1",
    }
    return inherited | own | settings


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not is_ready(server.port):
        if process.poll() is not None or time.monotonic() > deadline:
            words = server.log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]
            raise ServerFailed(f"the control plane did not start:\n{words}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let go of the leash, and wait."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(port: int) -> bool:
    """Whether /readyz answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
