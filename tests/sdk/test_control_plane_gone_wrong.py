"""A control plane that swallows, hangs, resets or babbles, over real sockets; and a disk that is full.

Calls are made by threads and by coroutines while the SDK's own thread is caught in it. None of them may wait for that.
"""

import asyncio
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager

import pytest

import throwbar
from tests.sdk.fake_control_plane import Clock
from tests.sdk.loopback import Loopback, answering, refusing, reset_after_reading, saying, silent
from throwbar.exchange import REQUEST_TIMEOUT_SECONDS

THREADS, CALLS = 8, 50


@contextmanager
def a_name_that_is_looked_up_for_ever(monkeypatch):
    """Every look-up hangs until the end of the test; `asking` are the threads that wait for one."""
    found, asking = threading.Event(), set()

    def getaddrinfo(*_, **__):
        asking.add(threading.current_thread().name)
        found.wait(60)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        yield asking
    finally:
        found.set()


@pytest.fixture
def clock():
    return Clock()


def a_client(url, clock, **changes):
    settings = {"poll_interval": 3600, "report_interval": 3600, "backup_file": False, "wall_clock": clock}
    return throwbar.Client(url, "token", service="shop", **settings | changes)


class Calls:
    """What a service does all day: calls from threads, and from coroutines."""

    def __init__(self, client):
        orders = client.migration("orders", baseline="old")
        self.made = []
        self.plain = orders.operation("read", kind=throwbar.READ)
        self.plain.baseline(lambda key: self.made.append(key) or "old")
        self.plain.candidate(lambda key: pytest.fail("nobody asked for the candidate"))
        self.coroutine = orders.operation("aread", kind=throwbar.READ, deadline=30.0)
        self.coroutine.baseline(self.old)
        self.coroutine.candidate(self.old)

    async def old(self, key):
        self.made.append(key)
        return "old"

    def make(self):
        answers = []

        def work(number):
            for call in range(CALLS):
                key = f"{number}.{call}"
                answers.append(self.plain(key, key=key))

        threads = [threading.Thread(target=work, args=(number,), name=f"caller-{number}") for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a caller waits for the control plane"
        answers += asyncio.run(self.tasks())
        assert answers == ["old"] * (THREADS + 1) * CALLS
        assert len(self.made) == len(set(self.made)) == len(answers)  # each once

    async def tasks(self):
        return await asyncio.gather(*(self.coroutine(f"c{n}", key=f"c{n}") for n in range(CALLS)))


def caught(client):
    """The SDK's thread asked, and has no answer."""
    client.migration("orders").decide("read", key="k")
    give_up = time.monotonic() + 30
    while client._exchange._asked_at is None:
        assert time.monotonic() < give_up
        time.sleep(0.001)


def test_calls_go_on_while_a_server_takes_everything_and_says_nothing(clock):
    with Loopback(silent) as port:
        client = a_client(f"http://127.0.0.1:{port}", clock)
        caught(client)

        Calls(client).make()

        assert client._exchange._asked_at is not None, "the request should still be under way"
        status = client.status()
        assert (status.ready, status.stale, status.internal_errors) == (False, True, 0)
        client.close(timeout=0.2)
    client._poller._thread.join(30)


def test_calls_go_on_while_a_name_is_looked_up_in_vain(clock, monkeypatch):
    client = a_client("http://throwbar.test", clock)
    with a_name_that_is_looked_up_for_ever(monkeypatch) as asking:
        caught(client)

        Calls(client).make()

        assert asking == {"throwbar"}
        assert client._exchange._asked_at is not None
        clock.tick(REQUEST_TIMEOUT_SECONDS + 25)
        assert client.status().last_error == "no answer for 35 s, and still waiting"
        assert client.status().stale
    client.close(timeout=0.2)
    client._poller._thread.join(30)


def test_close_returns_while_a_name_is_looked_up_in_vain_and_calls_go_on_after_it(clock, monkeypatch):
    client = a_client("http://throwbar.test", clock)
    with a_name_that_is_looked_up_for_ever(monkeypatch):
        caught(client)

        client.close(timeout=0.2)

        assert client._poller._thread.is_alive()
        Calls(client).make()
        assert not client.flush(timeout=0.1)
        assert not client.wait_ready(timeout=0.1)
    client._poller._thread.join(30)
    assert not client._poller._thread.is_alive()


def test_a_process_ends_while_a_name_is_looked_up_in_vain():
    program = """
        import socket, threading, throwbar
        asked = threading.Event()
        socket.getaddrinfo = lambda *args, **more: asked.set() or threading.Event().wait()
        client = throwbar.Client("http://throwbar.test", "token", backup_file=False)
        client.migration("orders").decide("read", key="k")
        asked.wait(30)
        print("end of main", flush=True)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=True
    )

    assert (ended.stdout, ended.stderr) == ("end of main\n", "")


TROUBLES = {
    "nobody listens": refusing,
    "it resets": lambda: Loopback(reset_after_reading),
    "it babbles": lambda: Loopback(saying(b"\x00\xff SSH-2.0 not http\r\n\r\n")),
    "it breaks off": lambda: Loopback(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")),
    "it is another web site": lambda: Loopback(answering("200 OK", "Content-Type: text/html", body="<html>")),
    "it is not allowed": lambda: Loopback(answering("403 Forbidden")),
    "it is overloaded": lambda: Loopback(answering("503 Service Unavailable", "Retry-After: 86400")),
    "it sends us elsewhere": lambda: Loopback(answering("302 Found", "Location: http://throwbar.test/")),
    "it moved": lambda: Loopback(answering("301 Moved Permanently")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_told_and_counted_and_calls_go_on(clock, trouble):
    with TROUBLES[trouble]() as port, a_client(f"http://127.0.0.1:{port}", clock, poll_interval=0.01) as client:
        calls = Calls(client)
        calls.make()
        assert client._poller.wait_until(lambda: client.status().failures.get("polling", 0) >= 1, 30)

        calls.made.clear()
        calls.make()

        status = client.status()
        assert (status.ready, status.stale, status.internal_errors) == (False, True, 0)
        assert status.last_error


def test_a_full_disk_costs_the_backup_until_there_is_room_again_and_nothing_else(tmp_path):
    """A real one, as far as the process can tell: the system refuses to write more than so many bytes of a file."""
    program = """
        import resource, sys
        sys.path.insert(0, ".")
        import throwbar
        from tests.sdk.fake_control_plane import FakeControlPlane, a_document
        server = FakeControlPlane()
        client = throwbar.Client("http://throwbar.test", "token", backup_file=sys.argv[1], transport=server,
                                 poll_interval=3600, report_interval=3600)
        assert client.wait_ready(60) and client.flush()
        first = open(sys.argv[1]).read()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        for version in (2, 3):
            server.document = a_document(version)
            assert client.flush()
            assert client.status().version == version
        status = client.status()
        assert status.failures == {"backup": 2}, status
        assert "File too large" in status.last_error, status
        assert open(sys.argv[1]).read() == first
        assert client.migration("orders").decide("read", key="k").version == 3
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert client._exchange.poll()
        assert (client.status().failures, client.status().last_error) == ({}, "")
        client.close()
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "backup.json")], check=True, timeout=60
    )

    assert [path.name for path in tmp_path.iterdir()] == ["backup.json"]
    assert '"version": 3' in (tmp_path / "backup.json").read_text()
