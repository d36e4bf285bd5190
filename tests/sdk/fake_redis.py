"""Just enough of Redis's protocol: every command is answered OK, but INCR as the test says."""

import socket
from collections.abc import Callable

from tests.sdk.loopback import Behaviour

Reaction = Callable[[socket.socket], None]


def replying(reply: bytes) -> Reaction:
    return lambda connection: connection.sendall(reply + b"\r\n")


def on_increment(react: Reaction) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        data = b""
        while received := connection.recv(65536):
            data += received
            while (command := _first_command(data)) is not None:
                data = data[len(command) :]
                if b"INCR" in command:
                    react(connection)
                else:
                    connection.sendall(b"+OK\r\n")

    return behave


def _first_command(data: bytes) -> bytes | None:
    """An array of bulk strings, as bytes; None until all of it is here."""
    lines = data.split(b"\r\n")
    needed = 1 + 2 * int(lines[0][1:]) if data else 0
    return b"\r\n".join(lines[:needed]) + b"\r\n" if needed and len(lines) > needed else None
