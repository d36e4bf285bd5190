"""Does a port stay with whom it was given to, while servers come and go?"""

import socket

import pytest

from tests.infrastructure.ports import kept_port


def test_servers_may_listen_there_one_after_another_and_nobody_else_gets_it() -> None:
    with kept_port() as port:
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)):
                socket.create_connection(("127.0.0.1", port)).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", port))
