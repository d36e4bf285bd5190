"""Servers on the loopback interface that fail on purpose: each connection is handed to one function."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """A port where nobody listens, and nobody else can begin to."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class Loopback:
    """Listens while the `with` block runs; afterwards nothing of it is left, whatever its behaviour waits for."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> int:
        self._threads[0].start()
        return self.port

    def __exit__(self, *_: object) -> None:
        self.refuse_from_now_on()
        self._threads[0].join()
        for connection in self._open:
            hang_up(connection)
        for thread in self._threads:
            thread.join()

    def refuse_from_now_on(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._behave(connection)


def hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silent(connection: socket.socket) -> None:
    """Take everything, say nothing."""
    while connection.recv(65536):
        pass


def read_request(connection: socket.socket) -> bytes:
    """One HTTP request to its last byte: from here on it may have been carried out."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return body


def close_after_reading(connection: socket.socket) -> None:
    read_request(connection)
    hang_up(connection)


def reset_after_reading(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def answering(status: str, *headers: str, body: str = "") -> Behaviour:
    """One HTTP response: `answering("429 Too Many Requests", "Retry-After: 7")`."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall("\r\n".join(lines).encode())
        hang_up(connection)

    return behave


def saying(reply: bytes) -> Behaviour:
    """Raw bytes after the request, and no more."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(reply)
        hang_up(connection)

    return behave
