"""Does the demo's service obey the SDK, and tell a backend's failure from one of Throwbar?"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import throwbar
from web.cli.demo.bridge import FLAG, OPERATIONS, Bridge, Request
from web.cli.demo.faults import FAULTS, Fault, Kind, inject
from web.cli.demo.pool_pipes import python_pool_v2
from web.cli.demo.pool_socket import snakepit
from web.cli.demo.run import BASELINE, CANDIDATE


def snapshot(share: int) -> dict[str, object]:
    operations = {name: {"share": share, "mode": "single", "rolled_back": False} for name in OPERATIONS}
    flag = {
        "kind": "migration",
        "baseline": BASELINE,
        "candidate": CANDIDATE,
        "enabled": True,
        "rolled_back": False,
        "attempt": 1,
        "rules": [],
        "operations": operations,
    }
    return {
        "schema": 1,
        "environment": "production",
        "source": "a",
        "version": 1,
        "bucketing": "flagd-v3",
        "telemetry": {"bucket_seconds": 1, "outcome_deadline_seconds": 1.0},
        "flags": {FLAG: flag},
    }


class ControlPlaneInMemory:
    """Answers polls with one snapshot and accepts every report."""

    def __init__(self, share: int) -> None:
        self.share = share

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        if method == "GET":
            return 200, {"etag": '"a.1"'}, json.dumps(snapshot(self.share)).encode()
        return 202, {}, b'{"version": 1, "source": "a"}'


@pytest.fixture(scope="module")
def fault_file(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("faults") / "fault.json"


@pytest.fixture(scope="module")
def backends(fault_file) -> Iterator[dict[str, object]]:
    patient = 60.0  # seconds; a busy machine must not look like a slow backend
    pools = {
        "baseline": python_pool_v2(size=2, timeout=patient),
        "candidate": snakepit(size=2, timeout=patient, fault_file=fault_file),
    }
    yield pools
    for pool in pools.values():
        pool.close()


@pytest.fixture
def bridge_at(backends, fault_file):
    clients = []

    def at(share: int) -> Bridge:
        client = throwbar.Client(
            "http://throwbar.invalid",
            "tb_sdk_test",
            service=FLAG,
            backup_file=False,
            transport=ControlPlaneInMemory(share),
        )
        clients.append(client)
        assert client.wait_ready(60)
        return Bridge(client, **backends)

    yield at
    inject(fault_file, Fault())
    for client in clients:
        client.close()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("share", "backend"), [(0, BASELINE), (100_000, CANDIDATE)])
def test_a_share_sends_the_call_to_the_backend_it_stands_for(bridge_at, operation, share, backend):
    request = Request("session-1", "please refund the invoice")

    answer = bridge_at(share).ask(operation, request)

    assert answer["session"] == "session-1"
    assert request.backend == backend


def test_at_half_share_a_session_keeps_its_backend_in_both_operations(bridge_at):
    bridge = bridge_at(50_000)
    met = {}

    for _ in range(3):
        for number in range(60):
            for operation in OPERATIONS:
                request = Request(f"session-{number}", "hello")
                bridge.ask(operation, request)
                met.setdefault(request.session, set()).add(request.backend)

    assert all(len(backends) == 1 for backends in met.values())
    assert {backend for backends in met.values() for backend in backends} == {BASELINE, CANDIDATE}


def test_a_candidate_that_raises_is_known_to_have_failed_though_the_baseline_answers(bridge_at, fault_file):
    bridge = bridge_at(100_000)
    inject(fault_file, Fault(Kind.ERRORS, share=1.0))
    request = Request("session-1", "please refund the invoice")

    answer = bridge.ask("simple_predict", request)

    assert answer
    assert (request.backend, request.failed) == (CANDIDATE, True)


def test_a_candidate_that_dies_leaves_the_baseline_untouched(bridge_at, fault_file):
    inject(fault_file, Fault(Kind.CRASH, share=1.0))
    request = Request("session-1", "hello")

    assert bridge_at(100_000).ask("echo", request) == {"session": "session-1", "text": "hello"}
    assert (request.backend, request.failed) == (CANDIDATE, True)
    assert bridge_at(0).ask("echo", Request("session-1", "hello")) == {"session": "session-1", "text": "hello"}


def test_every_kind_of_fault_has_its_settings():
    assert set(FAULTS) == set(Kind)
    assert all(fault.kind is kind for kind, fault in FAULTS.items())
