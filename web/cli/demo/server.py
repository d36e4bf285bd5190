"""A control plane of the demo's own: a child process on a free port, with its database in a temporary folder."""

import http.client
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

HOST = "127.0.0.1"
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 15.0
LAST_WORDS = 2_000  # characters of the log, when the server does not start

_PORT = re.compile(r"listens on http://\S+:(\d+)\s")
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
    unheard = Server(folder, port=0)  # the system chooses one: whatever is free before may be taken by then
    process = _start(unheard, settings)
    try:
        yield _ready(unheard, process)
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


def _ready(unheard: Server, process: subprocess.Popen[bytes]) -> Server:
    """The same, with the port that it tells of in its log."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        words = unheard.log.read_text(encoding="utf-8", errors="replace")
        told = _PORT.search(words)
        if told and is_ready(int(told[1])):
            return replace(unheard, port=int(told[1]))
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"the control plane did not start:\n{words[-LAST_WORDS:]}")
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
