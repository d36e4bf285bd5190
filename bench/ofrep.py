"""What does an evaluation for a service of another make cost the server? The reference is flagd's evaluator alone.

Through the whole edge, token and JSON included, without a socket; `bench.edge` measures over one.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Row, microseconds_per_call
from controlplane.clock import utc_now
from controlplane.domain.access import TokenKind, TokenRequest
from controlplane.domain.snapshot import Clockwork
from controlplane.evaluator import Context, Evaluator
from controlplane.settings import Settings
from controlplane.store import Store, open_store
from controlplane.usecases.flag_sets import current_flag_set
from controlplane.usecases.flags import create_flag
from controlplane.usecases.starting import prepare
from controlplane.usecases.tokens import create_token
from tests.builders import a_cause, a_flag_document
from web.cli.entry import make_brain
from web.edge import Edge
from web.edge.ofrep import ALL

FLAGS = 100
CALLS = 1_000
KEYS = [f"session-{number}" for number in range(CALLS)]
RULES = [{"attribute": "tenant", "operator": "in", "values": ["acme", "zoo"], "serve": "candidate"}]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
        token, evaluator = _filled(store)
        least = microseconds_per_call(lambda: _alone(evaluator))
        yield _row("flagd's evaluator alone", least, least)
        with asyncio.Runner() as runner:
            edge = Edge(make_brain(store, Clockwork(), utc_now, "a key of the bench"), _nowhere, 0.25)
            runner.run(edge.open())
            one = microseconds_per_call(lambda: runner.run(_ask(edge, token, "/flag-7", CALLS)))
            yield _row("OFREP, one flag", one, least)
            every = microseconds_per_call(lambda: runner.run(_ask(edge, token, "", CALLS // FLAGS)) * FLAGS)
            yield _row(f"OFREP, all {FLAGS} flags, each of them", every, least)
            runner.run(edge.close())


def _row(name: str, spent: float, least: float) -> Row:
    return Row(f"{name} ({1e6 / spent:,.0f}/s)", spent, least)


def _filled(store: Store) -> tuple[str, Evaluator]:
    prepare(store, Settings(), utc_now())
    for number in range(FLAGS):
        document = a_flag_document(key=f"flag-{number}", operations={"echo": {"percent": 10}}, rules=RULES, plan=None)
        create_flag(store, "production", document, a_cause())
    token = create_token(store, TokenRequest(TokenKind.SDK, "bench"), a_cause())[1]
    return token, Evaluator(current_flag_set(store, "production"))


def _alone(evaluator: Evaluator) -> int:
    for key in KEYS:
        evaluator.evaluate("flag-7", Context(key, {"operation": "echo"}))
    return CALLS


async def _ask(edge: Edge, token: str, path: str, calls: int) -> int:
    scope = {"type": "http", "method": "POST", "path": ALL + path, "query_string": b""}
    scope["headers"] = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    bodies = [json.dumps({"context": {"targetingKey": key, "operation": "echo"}}).encode() for key in KEYS[:calls]]
    statuses: list[int] = []
    for body in bodies:
        await edge(scope, _sending(body), _noting(statuses))
    assert statuses == [200] * calls
    return calls


def _sending(body: bytes) -> Callable:
    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _noting(statuses: list[int]) -> Callable:
    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    return send


async def _nowhere(*_asked: object) -> None:
    raise AssertionError("this is the edge's own")
