"""Just enough of MySQL's protocol: a greeting, a welcome, and then one error for every statement, or none."""

import socket
import struct

from tests.sdk.loopback import Behaviour, hang_up

CAPABILITIES = 0x0200 | 0x8000 | 0x80000  # protocol 4.1, secure connection, plug-in authentication
OK = b"\x00\x00\x00\x02\x00\x00\x00"


def greeting() -> bytes:
    low, high = struct.pack("<I", CAPABILITIES)[:2], struct.pack("<I", CAPABILITIES)[2:]
    salt = b"12345678", b"901234567890\x00"
    return (
        b"\x0a8.0.0-fake\x00"
        + struct.pack("<I", 1)
        + salt[0]
        + b"\x00"
        + low
        + b"\x21\x02\x00"
        + high
        + bytes([21])
        + bytes(10)
        + salt[1]
        + b"mysql_native_password\x00"
    )


def failing(number: int, state: bytes = b"HY000") -> Behaviour:
    """Every statement after signing in fails with this error."""

    def behave(connection: socket.socket) -> None:
        _welcome(connection)
        while _receive(connection):
            _send(connection, 1, b"\xff" + struct.pack("<H", number) + b"#" + state + b"as ordered")

    return behave


def hanging_up_after_a_statement(connection: socket.socket) -> None:
    _welcome(connection)
    _receive(connection)
    hang_up(connection)


def _welcome(connection: socket.socket) -> None:
    _send(connection, 0, greeting())
    _receive(connection)
    _send(connection, 2, OK)
    _receive(connection)  # SET AUTOCOMMIT or SET NAMES
    _send(connection, 1, OK)


def _send(connection: socket.socket, sequence: int, payload: bytes) -> None:
    connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload)


def _receive(connection: socket.socket) -> bytes:
    head = connection.recv(4, socket.MSG_WAITALL)
    return connection.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL) if len(head) == 4 else b""
