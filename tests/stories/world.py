"""A whole Throwbar in one process under frozen time: a real server over HTTP, a service with the real SDK, a scheduler.

Nothing runs by itself: the story moves the clock, lets the service work, and ticks.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, timedelta
from typing import Any

from a2wsgi import WSGIMiddleware
from freezegun.api import FrozenDateTimeFactory
from uvicorn import Config, Server

import throwbar
from controlplane.clock import utc_now
from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.snapshot import Clockwork
from controlplane.scheduler import Duties
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import a_cause
from web.app import create_app
from web.cli.entry import Entry, make_brain
from web.edge import Edge

HERE = "/api/v1/environments/production"
BUCKET = timedelta(seconds=10)
SEAL = timedelta(seconds=30)
PATIENCE = 60.0  # real seconds; only a broken server takes them


class CandidateBroke(RuntimeError):
    """What the candidate raises once the story has broken it."""


class World:
    """`clock` is freezegun's; every span of time passes through `pass_by`.

    `seen` counts who answered a caller, and how many were told of a failure; `broke` counts the candidate's failures,
    which a fallback may have hidden from the caller.
    """

    def __init__(self, store: Store, clock: FrozenDateTimeFactory) -> None:
        self.store = store
        self.clock = clock
        self.port = 0  # once somebody listens
        self.admin = self._token(TokenKind.ADMIN)
        self.sdk = self._token(TokenKind.SDK)
        self.duties = Duties(store, utc_now, Clockwork(), "story")
        self.fails_of_ten = 0  # calls of the candidate, once the story breaks it
        self.broke = 0
        self.seen: Counter[str] = Counter()

    def _token(self, kind: TokenKind) -> str:
        wanted = TokenRequest(kind, f"story-{kind}", role=Role.ADMIN if kind is TokenKind.ADMIN else None)
        return create_token(self.store, wanted, a_cause(utc_now()))[1]

    def client(self, backup_file: Any = False) -> throwbar.Client:
        url = f"http://127.0.0.1:{self.port}"
        return throwbar.Client(url, self.sdk, service="bridge-api", backup_file=backup_file, wall_clock=self.seconds)

    def seconds(self) -> float:
        """Since 1970. To be given to the SDK: whoever asks near the beginning of a thread is told the real time by freezegun."""
        return self.clock().replace(tzinfo=UTC).timestamp()

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json", **headers}
        try:
            connection.request(method, HERE + path, None if body is None else json.dumps(body), given)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def flag(self) -> Any:
        status, answer = self.api("GET", "/flags/dspex-bridge")
        assert status == 200
        return answer

    def pass_by(self, span: timedelta) -> None:
        self.clock.tick(span)

    def tick(self) -> None:
        self.duties.heartbeat()
        self.duties.tick()
        assert not any(count for name, count in self.duties.counts.items() if name.endswith("failed"))

    def serve(self, operation: Any, sessions: int, *, first: int = 0) -> None:
        """One call of each session in this bucket; then time passes, the report arrives and a tick looks at it."""
        for number in range(first, first + sessions):
            try:
                self.seen[operation("hello", key=f"session-{number}")] += 1
            except CandidateBroke:
                self.seen["told"] += 1

    def report_and_tick(self, client: throwbar.Client) -> None:
        self.pass_by(BUCKET)
        assert client.flush(PATIENCE)
        self.pass_by(SEAL)
        self.tick()
        assert client.flush(PATIENCE)


def heard(client: throwbar.Client) -> bool:
    """Whether it knows what the server knows: its first poll may be too early for a flag that was just made."""
    return client.wait_ready(PATIENCE) and client.flush(PATIENCE)


def an_operation(world: World, client: throwbar.Client, name: str = "echo") -> Any:
    """Two backends that say who they are; the candidate fails as often as the world wants."""
    operation = client.migration("dspex-bridge").operation(name, kind=throwbar.READ)
    calls = Counter[str]()

    @operation.baseline
    def _(_text: str) -> str:
        return "python_pool_v2"

    @operation.candidate
    def _(_text: str) -> str:
        calls["candidate"] += 1
        if calls["candidate"] % 10 < world.fails_of_ten:
            world.broke += 1
            raise CandidateBroke
        return "snakepit"

    return operation


@contextmanager
def a_world(database_url: str, clock: FrozenDateTimeFactory) -> Iterator[World]:
    with ExitStack() as stack:
        store = stack.enter_context(open_store(database_url))
        settings = Settings(database_url=database_url, secret_key="a secret of this story")
        prepare(store, settings, utc_now())
        edge = _edge(store, settings)
        for pool in (edge._reader, edge._writer):  # a look that is under way would outlive the store that it looks into
            stack.callback(pool.shutdown)
        entry = Entry(open_store(settings.database_url), edge, None)
        world = World(store, clock)  # its tokens are there when the server first looks: no poll may come before them
        server = Server(Config(entry, port=0, lifespan="on", log_config=None, timeout_keep_alive=75))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        stack.callback(thread.join, PATIENCE)
        stack.callback(setattr, server, "should_exit", True)
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        world.port = server.servers[0].sockets[0].getsockname()[1]
        yield world


def _edge(store: Store, settings: Settings) -> Edge:
    site: Any = WSGIMiddleware(create_app(store, settings, utc_now), workers=2)
    brain = make_brain(store, Clockwork(), utc_now, "a secret key")
    return Edge(brain, site, 0.02)
