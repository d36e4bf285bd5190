import gzip
import itertools
import json
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import throwbar
from tests.sdk.fake_control_plane import FakeControlPlane, a_document
from tests.sdk.loopback import refusing
from throwbar import exchange, http1
from throwbar import transport as transport_module
from throwbar.transport import HttpTransport


class Handler(BaseHTTPRequestHandler):
    """Passes each request to the fake control plane of its server, over a kept-alive connection."""

    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body):
        self.server.connections.add(self.client_address)
        self.server.paths.append(self.path)
        status, headers, answer = self.server.plane(self.command, self.path, dict(self.headers), body, 0)
        if "gzip" in self.headers.get("Accept-Encoding", "") and answer:
            answer, headers = gzip.compress(answer), {**headers, "Content-Encoding": "gzip"}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        if self.server.hang_up:
            self.close_connection = True

    def log_message(self, *args):
        pass


@contextmanager
def serving(plane, tls=None):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        server.plane, server.connections, server.paths, server.hang_up = plane, set(), [], False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answering(*pieces):
    """A server that sends these bytes to whoever connects, whatever was asked; then it keeps the line open."""
    return trickling(pieces, 0)


@contextmanager
def trickling(pieces, pause):
    """The same with a pause after each piece, of which there may be no end."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(ConnectionError):
                connection.recv(65_536)
                for piece in pieces:
                    connection.sendall(piece)
                    if done.wait(pause):
                        return
                done.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def get(url, timeout=60):
    with closing(HttpTransport(url)) as transport:
        return transport("GET", "/", {}, None, timeout)


def a_client(url, **changes):
    settings = {"poll_interval": 3600, "report_interval": 3600, "backup_file": False, "service": "shop"}
    return throwbar.Client(url, "token", **settings | changes)


def test_a_client_polls_and_reports_over_one_kept_connection(server, clock):
    with serving(server) as (http, url), a_client(f"{url}/base", wall_clock=clock) as client:
        assert client.wait_ready(60)
        with client.migration("orders").attempt("read", key="k"):
            pass
        clock.tick(30)
        server.document = a_document(2)
        assert client.flush(60)

        assert client.status().version == 2
        assert sum(cell["calls"] for cell in server.cells) == 1
        assert len(http.connections) == 1
        assert set(http.paths) == {"/base/sdk/v1/snapshot", "/base/sdk/v1/reports"}


def test_a_connection_that_the_server_closed_is_opened_again(server):
    with serving(server) as (http, url), a_client(url) as client:
        http.hang_up = True
        assert client.wait_ready(60)

        assert all(client.flush(60) for _ in range(3))

        assert len(http.connections) > 3
        assert client.status().last_error == ""


def test_a_server_with_nobody_behind_its_port_is_trouble_and_no_more():
    with refusing() as port, a_client(f"http://127.0.0.1:{port}") as client:
        assert not client.flush(10)
        assert "ConnectionRefusedError" in client.status().last_error


def test_close_is_bounded_while_a_server_swallows_the_request(monkeypatch):
    monkeypatch.setattr(exchange, "REQUEST_TIMEOUT_SECONDS", 200.0)  # so that a machine that is slow gets here in time
    with answering() as url:
        client = a_client(url)
        assert client.migration("orders").decide("read", key="k").reason == "not_ready"
        assert not client.wait_ready(0.2)

        client.close(timeout=0.3)

        assert client._poller._thread.is_alive()  # it waits for the server still, and nobody waits for it
    client._poller._thread.join(60)
    assert not client._poller._thread.is_alive()


def test_close_is_bounded_while_the_name_is_being_looked_up(monkeypatch):
    looked_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: looked_up.wait(60) and [])
    client = a_client("http://throwbar.test")
    client.wait_ready(0.1)

    client.close(timeout=0.2)

    assert client._poller._thread.is_alive()
    looked_up.set()
    client._poller._thread.join(60)
    assert not client._poller._thread.is_alive()


def test_a_silent_server_times_out():
    with answering() as url, pytest.raises(TimeoutError):
        get(url, 0.05)


def test_an_answer_that_trickles_in_is_given_up(monkeypatch):
    began, pieces = time.monotonic(), itertools.count()
    monkeypatch.setattr(http1, "monotonic", lambda: began + next(pieces))  # each piece a second after the one before
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    trickle = itertools.chain([head], itertools.repeat(b"x"))
    with trickling(trickle, 0.001) as url, pytest.raises(TimeoutError, match="did not end"):
        get(url, 20)


def test_an_answer_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(http1, "BODY_LIMIT", 100_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with answering(head, b"x" * 200_000) as url, pytest.raises(OSError, match="larger than"):
        get(url)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"not gzip", "not gzip"),
        (gzip.compress(b"x" * 1000)[:-10], "cut short"),
        (gzip.compress(b"x" * 1000), "too large"),
    ],
    ids=["not gzip", "cut short", "too large"],
)
def test_a_broken_or_exploding_gzip_body_is_no_answer(monkeypatch, body, message):
    monkeypatch.setattr(transport_module, "BODY_LIMIT", 500)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with answering(head + body) as url, pytest.raises(OSError, match=message):
        get(url)


def test_what_is_no_http_is_trouble_and_no_more():
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as url, a_client(url) as client:
        client.migration("orders").decide("read", key="k")
        client._poller.wait_until(lambda: client._exchange.polling.failures > 0, 60)

        assert "no answer" in client.status().last_error


def test_a_gzip_answer_arrives_as_it_was(server):
    with serving(FakeControlPlane(a_document(3))) as (_, url):
        status, headers, body = get(url)

    assert (status, headers["etag"], json.loads(body)["version"]) == (200, '"s1.3"', 3)
