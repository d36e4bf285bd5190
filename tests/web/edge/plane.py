"""A running edge for tests, and the simplest client for it."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from uvicorn import Config, Server

from controlplane.domain.origins import read_origins
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from web.cli.entry import Entry, make_brain
from web.cli.serve import KEEP_ALIVE_SECONDS
from web.edge import Brain, Edge
from web.edge.http import Receive, Scope, Send, json_answer, reply

PATIENCE = 60.0  # seconds; only a broken server takes them


class FakeClock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Plane:
    """Where an edge listens, and the token it knows."""

    port: int
    token: str
    store: Store
    edge: Edge
    server: Server

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def request(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = "", **headers: str
    ) -> Response:
        """Header names are given with underscores; `token=None` sends none."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token or self.token}"
        connection = self.connect()
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return Response(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def poll(self, held: str | None = None, **headers: str) -> Response:
        return self.request("GET", "/sdk/v1/snapshot", **({"If_None_Match": held} if held else {}), **headers)

    def release(self) -> None:
        """As when the server is told to stop: on its own event loop, which no other thread may ring."""
        loop = self.server.servers[0].get_loop()
        asyncio.run_coroutine_threadsafe(self.edge.release(), loop).result(PATIENCE)

    def report(self, document: Mapping[str, Any], **headers: str) -> Response:
        return self.request("POST", "/sdk/v1/reports", json.dumps(document).encode(), **headers)


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands where the pages would be."""
    await receive()
    await reply(send, json_answer(200, {"site": scope["path"]}))


@contextmanager
def serving(
    store: Store, clock: FakeClock, token: str, *, look_every: float = 0.02, origins: str = "", **replaced: Any
) -> Iterator[Plane]:
    """`replaced` swaps use cases of the brain for others; `look_every` is in seconds, `origins` as the setting."""
    brain: Brain = replace(make_brain(store, Clockwork(), clock, "a secret key"), **replaced)
    edge = Edge(brain, site, look_every=look_every, note_every=0.02, origins=read_origins(origins) if origins else ())
    listener = socket.create_server(("127.0.0.1", 0))
    entry = Entry(store, edge, None)
    # Kept as long as in operation: uvicorn itself would take a connection away after five seconds between two requests.
    kept = {"timeout_keep_alive": KEEP_ALIVE_SECONDS}
    server = Server(Config(entry, lifespan="on", ws="none", log_config=None, access_log=False, **kept))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield Plane(listener.getsockname()[1], token, store, edge, server)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_until(condition: Any) -> None:
    """Until it is true; a test fails here when it never becomes so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)
