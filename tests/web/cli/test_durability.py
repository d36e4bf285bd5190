"""Is every acknowledged report there exactly once, after the server was killed again and again?"""

import http.client
import json
import signal
import threading
from functools import partial
from pathlib import Path

import pytest

from controlplane.clock import utc_now
from controlplane.store import Store, open_store
from controlplane.usecases.flags import create_flag
from tests.builders import a_cause, a_cell, a_flag_document
from tests.infrastructure.ports import kept_port
from tests.infrastructure.server_process import PATIENCE, SDK_TOKEN, ServerProcess

KILLS = 3
BEFORE_EACH_KILL = 150  # acknowledged reports
SENDERS = 4


class Sender(threading.Thread):
    """A service that sends one call a report, and sends again whatever was not acknowledged."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(name=name, daemon=True)
        self.acknowledged = 0
        self.sent_again = 0
        self.ends = threading.Event()
        self.port = port

    def run(self) -> None:
        while not self.ends.is_set():
            body = self._report(self.acknowledged + 1)
            while not self._send(body):
                self.sent_again += 1
            self.acknowledged += 1

    def _report(self, sequence: int) -> bytes:
        cell = a_cell(calls=1, start=int(utc_now().timestamp()) // 10 * 10)
        head = {"schema": 1, "instance": self.name, "service": "s", "sdk": "x/1", "sequence": sequence}
        return json.dumps({**head, "sent_at": 1.0, "source": "", "version": 0, "cells": [cell]}).encode()

    def _send(self, body: bytes) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", "/sdk/v1/reports", body, {"Authorization": f"Bearer {SDK_TOKEN}"})
            return connection.getresponse().status == http.client.ACCEPTED
        except (OSError, http.client.HTTPException):
            self.ends.wait(0.02)  # nobody is there at the moment
            return False
        finally:
            connection.close()


@pytest.mark.slow
def test_killed_under_load_it_has_every_acknowledged_report_exactly_once(tmp_path: Path, migrated_url: str) -> None:
    with kept_port() as port:  # senders knock there also while no server does, and must reach nobody else's
        senders = [Sender(f"sender-{number}", port) for number in range(SENDERS)]
        started = partial(ServerProcess, tmp_path, migrated_url, "--port", str(port), tick_seconds="0.2")
        for round_ in range(KILLS):
            with started() as server:
                server.until_ready()
                if round_ == 0:
                    start(senders, migrated_url)
                goal = (round_ + 1) * BEFORE_EACH_KILL
                server.until(partial(has_reached, senders, goal))
                server.send_signal(signal.SIGKILL)
        with started() as server:
            server.until_ready()
            for sender in senders:
                sender.ends.set()
            for sender in senders:
                sender.join(PATIENCE)
            server.send_signal(signal.SIGTERM)
            assert server.wait() == 0

    with open_store(migrated_url) as store:
        assert counted(store) == acknowledged(senders) >= KILLS * BEFORE_EACH_KILL


def start(senders: list[Sender], database_url: str) -> None:
    with open_store(database_url) as store:
        create_flag(store, "production", a_flag_document(), a_cause(utc_now()))
    for sender in senders:
        sender.start()


def has_reached(senders: list[Sender], goal: int) -> bool:
    return acknowledged(senders) >= goal


def acknowledged(senders: list[Sender]) -> int:
    return sum(sender.acknowledged for sender in senders)


def counted(store: Store) -> int:
    """Calls in buckets, and in reports that wait to be folded."""
    with store.reading() as uow:
        environment = uow.environments.get("production")
        waiting = [report for row in uow.journal.oldest(10_000) for report in json.loads(row.body)]
        folded = uow.buckets.between(environment.id, "dspex-bridge", 0, 1 << 40)
    return sum(cell["calls"] for each in waiting for cell in each["cells"]) + sum(arm.calls for _, arm in folded)
