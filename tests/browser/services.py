"""Services that embed the SDK, talk to the real server over HTTP, and do as the page of a flag says."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import throwbar
from controlplane.clock import utc_now
from controlplane.domain.access import TokenKind, TokenRequest
from controlplane.usecases.tokens import create_token
from tests.browser.serving import Server
from tests.builders import a_cause

SERVICE = "bridge-api"
PATIENCE = 60.0
PACE = 0.001  # seconds between the calls of one who calls without pause


def sdk_token(server: Server, environment: str = "production") -> str:
    """One that the server has heard of: it was made beside it, and a refused client waits a minute."""
    _, secret = create_token(server.store, TokenRequest(TokenKind.SDK, SERVICE, environment), a_cause(utc_now()))
    until_accepted(server.url, secret)
    return secret


def until_accepted(url: str, secret: str) -> None:
    asked = Request(f"{url}/sdk/v1/snapshot", headers={"Authorization": f"Bearer {secret}"})
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(asked, timeout=PATIENCE).close()
        except HTTPError:
            assert time.monotonic() < end, "the token was never accepted"
            time.sleep(0.05)
        else:
            return


class Service:
    """A process that embeds the SDK and registers two operations, `echo` (a read) and `pay` (a write), of one flag.

    `trouble` is what the candidate raises next, until it is taken away; `called` counts what reached which side.
    """

    def __init__(self, server: Server, key: str, token: str, *, interval: float = 0.2) -> None:
        self.trouble: Exception | None = None
        self.called: Counter[str] = Counter()
        self.client = throwbar.Client(
            server.url, token, service=SERVICE, poll_interval=interval, report_interval=interval, backup_file=False
        )
        migration = self.client.migration(key, baseline="old_pool")
        self.echo = self._routed(migration, "echo", throwbar.READ)
        self.pay = self._routed(migration, "pay", throwbar.WRITE)
        assert self.client.wait_ready(PATIENCE)
        assert self.client.flush(PATIENCE)  # its answer tells of a flag that the first poll was too early for
        self.decide: Callable[[], throwbar.Decision] = lambda: migration.decide("echo", key="s-1")

    @property
    def instance(self) -> str:
        return self.client.status().instance

    def _routed(self, migration: throwbar.Migration, name: str, kind: throwbar.kinds.Kind) -> Callable[..., str]:
        def key(session: str = "s-1") -> str:
            return session

        return migration.route(name, candidate=self._candidate, kind=kind, key=key)(self._baseline)

    def _baseline(self, session: str = "s-1") -> str:
        self.called["old"] += 1
        return "old"

    def _candidate(self, session: str = "s-1") -> str:
        self.called["new"] += 1
        if self.trouble is not None:
            raise self.trouble
        return "new"

    def counted(self, call: Callable[[], Any]) -> Counter[str]:
        """What one call reaches."""
        self.called.clear()
        call()
        return self.called

    def until(self, sees: Callable[[], object]) -> None:
        """The service hears of a change with its next poll."""
        end = time.monotonic() + PATIENCE
        while not sees():
            assert time.monotonic() < end, "the service never obeyed"
            self.client.flush(0.1)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """It calls `echo` without pause meanwhile, each time for another session."""
        enough = threading.Event()

        def call() -> None:
            for number in itertools.count():
                if enough.wait(PACE):
                    return
                self.echo(f"s-{number}")

        caller = threading.Thread(target=call)
        caller.start()
        try:
            yield
        finally:
            enough.set()
            caller.join()


@contextmanager
def service(server: Server, key: str, token: str, *, interval: float = 0.2) -> Iterator[Service]:
    """`interval` in seconds between its polls, and between its reports."""
    made = Service(server, key, token, interval=interval)
    try:
        yield made
    finally:
        made.client.close()
