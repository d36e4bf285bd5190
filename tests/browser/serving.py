"""The real server in a process of its own, and a hand on its database: what people, services and browsers share."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from controlplane.clock import utc_now
from controlplane.domain.access import Role
from controlplane.domain.destination import read_allowed
from controlplane.domain.errors import AlreadyExists
from controlplane.domain.webhook import Selection, Wanted, Webhook
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases import people, signing_in, webhooks
from controlplane.usecases.sealing import Seal
from tests.builders import a_cause
from web.secret_key import find_secret_key

ANN = "ann@example.org"
FAST = {
    "THROWBAR_TICK_SECONDS": "0.2",
    "THROWBAR_BUCKET_SECONDS": "1",
    "THROWBAR_SEAL_SECONDS": "0.2",
    "THROWBAR_WEBHOOK_ALLOW_PRIVATE": "127.0.0.1",
}
NOBODY = "http://127.0.0.1:9/hook"  # where nobody listens


@dataclass
class Server:
    """`url` without a slash at its end; `store` is opened by the test beside the server.

    `greeting_link` is the one to sign in by that the server printed; None once somebody can sign in otherwise.
    """

    url: str
    store: Store
    greeting_link: str | None = None

    def link(self, email: str = ANN, role: Role = Role.ADMIN) -> str:
        """A fresh sign-in link, as `throwbar user link` would make it."""
        cause = a_cause(utc_now())
        with suppress(AlreadyExists):
            people.add_person(self.store, email, role, cause)
        return f"{self.url}/sign-in/{signing_in.create_link(self.store, email, cause)}"

    def webhook(self, name: str, url: str = NOBODY) -> Webhook:
        """One that is told of nothing but tests, unless it is changed."""
        key = find_secret_key(Settings(database_url=str(self.store.engine.url)))
        wanted = Wanted(name, url, Selection(actions=("webhook:test",)))
        return webhooks.create_webhook(self.store, wanted, Seal(key), read_allowed("127.0.0.1"), a_cause(utc_now()))[0]


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """`throwbar serve` on a free port with a fresh database and a fast clock."""
    url = f"sqlite:///{folder / 'throwbar.db'}"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("THROWBAR_")}
    command = [sys.executable, "-m", "web.cli", "serve", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(
        command, env={**ours, **FAST, "THROWBAR_DATABASE_URL": url, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield from _reached(process, url)
    finally:
        process.terminate()
        process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()


def _reached(process: "subprocess.Popen[str]", database: str) -> Iterator[Server]:
    assert process.stdout
    greeting = process.stdout.readline()
    address = re.search(r"http://\S+", greeting)
    assert address, f"the server did not start: {greeting!r}"
    link = re.search(r"http://\S+/sign-in/\S+", process.stdout.readline())
    with open_store(database) as store:
        yield Server(address.group(), store, link.group() if link else None)
