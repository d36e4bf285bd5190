"""A port that nobody else gets, whether a server listens there at the moment or not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """Servers, which set SO_REUSEADDR, may listen there one after another; in between connections are refused.

    Else the port of a server that is down would be given to whoever asks for any: other tests run side by side, and
    would get what was meant for this server.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
