"""Does the server start and end as an operator expects?"""

import http.client
import json
import re
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from controlplane.store import open_store
from tests.infrastructure.server_process import PATIENCE, SDK_TOKEN, ServerProcess
from tests.sdk.loopback import refusing

LINK = re.compile(r"http://127\.0\.0\.1:\d+(/sign-in/tb_link_\S+)")


def test_it_greets_with_its_address_and_a_link_that_no_log_repeats(tmp_path: Path, sqlite_url: str) -> None:
    with ServerProcess(tmp_path, sqlite_url, "--port", "0") as server:
        server.until_ready()

        link = LINK.search(server.output)

        assert link
        assert server.status(link[1]) in {200, 302, 303}
        assert "tb_link" not in server.complaints
        assert SDK_TOKEN not in server.output + server.complaints


def test_a_second_start_finds_everything_and_makes_a_fresh_link(tmp_path: Path, sqlite_url: str) -> None:
    links = []
    for _ in range(2):
        with ServerProcess(tmp_path, sqlite_url, "--port", "0") as server:
            server.until_ready()
            links += LINK.findall(server.output)

    assert len(set(links)) == 2


def test_a_given_password_makes_the_link_needless(tmp_path: Path, sqlite_url: str) -> None:
    given = {"admin_email": "ann@example.org", "admin_password": "correct horse battery"}
    with ServerProcess(tmp_path, sqlite_url, "--port", "0", **given) as server:
        server.until_ready()

        assert "sign-in" not in server.output
        assert "correct horse" not in server.output + server.complaints


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"prot": "1"}, "THROWBAR_PROT is not a setting of Throwbar"),
        ({"port": "high"}, "THROWBAR_PORT: "),
        ({"tick_seconds": "0"}, "THROWBAR_TICK_SECONDS: "),
    ],
)
def test_a_wrong_setting_stops_it_with_one_line(
    tmp_path: Path, sqlite_url: str, setting: dict[str, str], sentence: str
) -> None:
    with ServerProcess(tmp_path, sqlite_url, **setting) as server:
        assert server.wait() == 2
        assert sentence in server.complaints
        assert len(server.errors) == 1


def test_a_taken_port_is_told_in_one_line(tmp_path: Path, sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with ServerProcess(tmp_path, sqlite_url, "--port", port) as server:
            assert server.wait() == 1
            assert f"cannot listen on 127.0.0.1, port {port}: another program listens there" in server.complaints
            assert len(server.errors) == 1


def test_a_newer_database_is_not_touched(tmp_path: Path, sqlite_url: str) -> None:
    with open_store(sqlite_url) as store, store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))

    with ServerProcess(tmp_path, sqlite_url, "--port", "0") as server:
        assert server.wait() == 1
        assert "9999" in server.complaints
        assert "Traceback" not in server.complaints


def test_a_database_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with (
        refusing() as port,
        ServerProcess(tmp_path, f"postgresql+psycopg://ann:s3cret@127.0.0.1:{port}/x", "--port", "0") as server,
    ):
        assert server.wait() == 1
        assert "the database does not answer: " in server.complaints
        assert "s3cret" not in server.complaints
        assert "Traceback" not in server.complaints


def test_a_log_may_be_lines_of_json(tmp_path: Path, sqlite_url: str) -> None:
    with ServerProcess(tmp_path, sqlite_url, "--port", "0", log_format="json") as server:
        server.until_ready()
        server.until(lambda: server.errors)

        lines = [json.loads(line) for line in list(server.errors)]

    assert {"at", "level", "logger", "message"} <= lines[0].keys()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_in_order_though_clients_wait(tmp_path: Path, sqlite_url: str, workers: str) -> None:
    """The answer comes because the server lets its clients go, long before their 60 seconds are over."""
    with ServerProcess(tmp_path, sqlite_url, "--port", "0", "--workers", workers) as server:
        server.until_ready()
        with closing(ask(server.port)) as first:
            etag = first.getresponse().headers["ETag"]
        with closing(ask(server.port, If_None_Match=etag, Prefer="wait=60")) as waiting:
            server.until(lambda: was_read(waiting))

            server.send_signal(signal.SIGTERM)

            assert waiting.getresponse().status == 304
        assert server.wait() == 0
        assert "Traceback" not in server.complaints


def test_it_ends_in_order_though_clients_listen(tmp_path: Path, sqlite_url: str) -> None:
    """An address that was signed here brings the stream, which the server ends when it is told to stop."""
    with ServerProcess(tmp_path, sqlite_url, "--port", "0") as server:
        server.until_ready()
        bulk = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        with closing(bulk):
            bulk.request("POST", "/ofrep/v1/evaluate/flags", b"{}", {"X-API-Key": SDK_TOKEN})
            (stream,) = json.loads(bulk.getresponse().read())["eventStreams"]
            bulk.request("GET", stream["endpoint"]["requestUri"])
            answer = bulk.getresponse()
            assert answer.status == 200
            assert answer.readline() == b"retry: 2000\n"

            server.send_signal(signal.SIGTERM)

            answer.read()
        assert server.wait() == 0
        assert "Traceback" not in server.complaints


def ask(port: int, **headers: str) -> http.client.HTTPConnection:
    """A poll that was sent; its answer is still to come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", "/sdk/v1/snapshot", headers={"Authorization": f"Bearer {SDK_TOKEN}", **given})
    return connection


def was_read(connection: http.client.HTTPConnection) -> bool:
    """Whether the request has left our end, and the server has taken it out of the kernel's queue at its own."""
    ours, theirs = (f"{end[1]:04X}" for end in (connection.sock.getsockname(), connection.sock.getpeername()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = {(row[1][-4:], row[2][-4:]): row[4].split(":") for row in rows}  # to be sent, to be read
    here, there = queues.get((ours, theirs)), queues.get((theirs, ours))
    return bool(here and there) and int(here[0], 16) == int(there[1], 16) == 0
