"""All that runs during a demo: the server, two backends, and the service that calls them through the SDK."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import throwbar
from web.cli.demo.bridge import FLAG, Bridge
from web.cli.demo.classifier import read_corpus
from web.cli.demo.control import ControlPlane
from web.cli.demo.neighbours import neighbours
from web.cli.demo.people import invite
from web.cli.demo.pool_pipes import python_pool_v2
from web.cli.demo.pool_socket import snakepit
from web.cli.demo.server import Server, running_server
from web.cli.demo.tempo import Tempo, flag_document
from web.cli.demo.traffic import Traffic

BASELINE_WORKERS, CANDIDATE_WORKERS = 4, 8
POOL_TIMEOUT = 10.0  # seconds: a machine that stands still for a moment is no failure of a pool, nor one of its faults
SNAPSHOT_TIMEOUT = 60.0  # seconds


class SceneFailed(RuntimeError):
    """Something did not come up; the message says what."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that runs during a demo."""

    server: Server
    control: ControlPlane
    client: throwbar.Client
    traffic: Traffic
    fault_file: Path


@contextmanager
def set_up(tempo: Tempo, rate: float, *, watched: bool = False) -> Iterator[Scene]:
    """Server, backends and service, running; all of them gone afterwards, in the reverse order.

    Where people watch, other flags stand beside that of the bridge, and a second service calls them.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="throwbar-")))
        server = stack.enter_context(running_server(folder, tempo.environment()))
        fault_file = folder / "fault.json"
        baseline = python_pool_v2(size=BASELINE_WORKERS, timeout=POOL_TIMEOUT)
        stack.callback(baseline.close)
        candidate = snakepit(size=CANDIDATE_WORKERS, timeout=POOL_TIMEOUT, fault_file=fault_file)
        stack.callback(candidate.close)
        people = invite(server)
        if watched:
            stack.enter_context(neighbours(server, people, tempo))
        people.ann.create(flag_document(tempo))
        client = stack.enter_context(_client(server, tempo))
        if not client.wait_ready(timeout=SNAPSHOT_TIMEOUT):
            raise SceneFailed(f"the SDK got no snapshot: {client.status().last_error}")
        bridge = Bridge(client, baseline=baseline, candidate=candidate)
        traffic = Traffic(bridge.ask, [example.text for example in read_corpus()], rate=rate)
        stack.callback(traffic.stop)
        yield Scene(server, people.ann, client, traffic, fault_file)


def _client(server: Server, tempo: Tempo) -> throwbar.Client:
    return throwbar.Client(
        server.url,
        server.sdk_token,
        service=FLAG,
        poll_interval=tempo.poll,
        report_interval=tempo.report,
        backup_file=server.folder / "snapshot.json",
    )
