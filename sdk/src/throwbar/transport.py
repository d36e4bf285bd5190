"""How does one request get to the control plane? Over a connection that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from throwbar.clock import monotonic
from throwbar.dial import Dial
from throwbar.http1 import BODY_LIMIT, read_answer, request

if TYPE_CHECKING:
    import socket


class Response(NamedTuple):
    """Status, headers with lower-case names, body as it was before compression."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """`path` begins with a slash; `timeout` is in seconds and holds for each step of the exchange.

    Raises any exception when no answer came.
    """

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]: ...


class HttpTransport:
    """The transport of a real client. For one thread."""

    def __init__(self, url: str) -> None:
        from urllib.parse import urlsplit  # noqa: PLC0415 - not for a host that imports this and makes no client

        parts = urlsplit(url)
        self._path = parts.path
        self._headers = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "gzip"}
        self._dial = Dial(parts.scheme, parts.hostname or "", parts.port)
        self._connection: socket.socket | None = None

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        sent = request(method, self._path + path, {**self._headers, **headers}, body)
        if self._connection is None:
            return self._exchange(sent, timeout)
        try:
            return self._exchange(sent, timeout)
        except (ConnectionError, EOFError):
            # The server closed an idle connection. Both requests may be repeated: a report carries its sequence.
            return self._exchange(sent, timeout)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, sent: bytes, timeout: float) -> Response:
        try:
            connection = self._connection = self._connection or self._dial(timeout)
            connection.settimeout(timeout)
            give_up_at = monotonic() + 3 * timeout
            connection.sendall(sent)
            answer = read_answer(connection, give_up_at)
        except BaseException:
            self.close()
            raise
        if answer.last:
            self.close()
        compressed = answer.headers.get("content-encoding", "").lower() == "gzip"
        return Response(answer.status, answer.headers, _gunzip(answer.body) if compressed else answer.body)


def _gunzip(raw: bytes) -> bytes:
    import zlib  # noqa: PLC0415 - not for a host that makes no client

    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, BODY_LIMIT)
    except zlib.error as error:
        raise OSError(f"the answer is not gzip: {error}") from None
    if not inflater.eof:
        raise OSError("the compressed answer is cut short, or too large")
    return body
