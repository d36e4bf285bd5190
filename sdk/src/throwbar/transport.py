"""How does one request get to the control plane? Over `http.client`, with a kept-alive connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from throwbar.clock import monotonic

if TYPE_CHECKING:
    import http.client

BODY_LIMIT = 32 << 20


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
        from urllib.parse import urlsplit  # noqa: PLC0415 - as the HTTP client, which needs it, too

        self._url = urlsplit(url)
        self._connection: http.client.HTTPConnection | None = None

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        reused = self._connection is not None
        try:
            return self._exchange(method, path, headers, body, timeout)
        except (ConnectionError, EOFError):
            self.close()
            if not reused:
                raise
        except BaseException:
            self.close()
            raise
        # The server closed an idle connection. Both requests may be repeated: a report carries its sequence.
        return self._on_new_connection(method, path, headers, body, timeout)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _on_new_connection(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        try:
            return self._exchange(method, path, headers, body, timeout)
        except BaseException:
            self.close()
            raise

    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout: float
    ) -> Response:
        connection = self._connection or self._connect(timeout)
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        give_up_at = monotonic() + 3 * timeout
        connection.request(method, self._url.path + path, body, {"Accept-Encoding": "gzip", **headers})
        with connection.getresponse() as response:  # closing it leaves the connection open for the next request
            raw = _read(response.read1, give_up_at)
            if response.length:
                raise EOFError(f"the answer is {response.length} bytes short")
        if response.getheader("Content-Encoding", "").lower() == "gzip":
            raw = _gunzip(raw)
        if response.will_close:
            self.close()
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, raw)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        # Here and not above: a host that imports the SDK should not pay for an HTTP client and TLS.
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        self._connection = kind(self._url.hostname or "", self._url.port, timeout=timeout)
        return self._connection


def _read(read1: Callable[[int], bytes], give_up_at: float) -> bytes:
    """The whole body, from a server that may send it a byte at a time, or without end."""
    parts, size = [], 0
    while part := read1(65_536):
        parts.append(part)
        size += len(part)
        if size > BODY_LIMIT:
            raise OSError(f"the answer is larger than {BODY_LIMIT} bytes")
        if monotonic() > give_up_at:
            raise TimeoutError("the answer did not end in time")
    return b"".join(parts)


def _gunzip(raw: bytes) -> bytes:
    import zlib  # noqa: PLC0415 - as the HTTP client

    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, BODY_LIMIT)
    except zlib.error as error:
        raise OSError(f"the answer is not gzip: {error}") from None
    if not inflater.eof:
        raise OSError("the compressed answer is cut short, or too large")
    return body
