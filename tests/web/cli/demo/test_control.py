"""Does the demo ask the management API as the contract says, and hear what it answers?"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.sdk.loopback import refusing
from web.cli.demo.control import ControlPlane, ControlPlaneError, bearer


class Door(BaseHTTPRequestHandler):
    """Writes down what is asked and gives the answer that the test has laid out."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, self.headers["Authorization"], body and json.loads(body)))
        status, document = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    do_GET = do_POST = _answer  # noqa: N815 - names that http.server calls

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def door() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        server.asked, server.answer = [], (200, {})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def control(door) -> ControlPlane:
    return ControlPlane(f"http://127.0.0.1:{door.server_port}", bearer("tb_admin_x"))


def test_a_rollout_is_started_with_its_reason_and_the_token(door, control):
    control.start("dspex-bridge", reason="because")

    assert door.asked == [
        (
            "POST",
            "/api/v1/environments/production/flags/dspex-bridge/rollout/start",
            "Bearer tb_admin_x",
            {"reason": "because"},
        )
    ]


def test_the_audit_is_read_from_the_oldest(door, control):
    newest_first = [{"id": 2, "at": "2026-03-01T12:00:01Z"}, {"id": 1, "at": "2026-03-01T12:00:00Z"}]
    door.answer = (200, {"items": newest_first, "next": None})

    assert [entry["id"] for entry in control.audit("dspex-bridge")] == [1, 2]
    assert door.asked[0][1] == "/api/v1/environments/production/audit?flag=dspex-bridge"


def test_a_refusal_is_told_in_the_control_planes_own_words(door, control):
    door.answer = (409, {"title": "a rollout is running already"})

    with pytest.raises(ControlPlaneError, match=r"409 .*a rollout is running already"):
        control.start("dspex-bridge", reason="again")


def test_nobody_there_is_an_error_of_the_same_kind():
    with refusing() as port, pytest.raises(ControlPlaneError, match="no answer"):
        ControlPlane(f"http://127.0.0.1:{port}", bearer("tb_admin_x")).flag("dspex-bridge")
