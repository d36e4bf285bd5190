"""How does a request travel over a connection, and how does its answer come back? HTTP/1.1, as far as we speak it.

`http.client` does the same and more, for which it loads the parser of e-mails, and TLS also where there is none; see
docs/decisions/0016-own-http.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from throwbar.clock import monotonic

BODY_LIMIT = 32 << 20
_LINE_LIMIT = 65_536
_HEADERS_LIMIT = 256
_PIECE = 65_536
_NO_BODY = (204, 304)
_HEX = frozenset(b"0123456789abcdefABCDEF")


class NoHttp(OSError):
    """What came is not an answer as HTTP/1.1 has them."""


class Stream(Protocol):
    """A socket, or TLS over one. A silence longer than its time limit raises TimeoutError."""

    def sendall(self, data: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...


class Answer(NamedTuple):
    """Names of headers are in lower case. `last`: the connection takes no further request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    last: bool


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The bytes to send. Raises ValueError for what would not stay within its line."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if wrong := [line for line in lines if not line.isprintable()]:
        raise ValueError(f"{wrong[0].partition(':')[0]!r} of a request holds what no line can")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + (body or b"")


def read_answer(stream: Stream, give_up_at: float) -> Answer:
    """The next answer, to its end. Raises OSError, TimeoutError among them, or EOFError when it breaks off."""
    reader = _Reader(stream, give_up_at)
    version, status = _status(reader.line())
    headers = _headers(reader)
    while 100 <= status < 200:  # "go on", which we never asked for
        version, status = _status(reader.line())
        headers = _headers(reader)
    closes, to_its_end = _closes(version, headers), True
    if status in _NO_BODY:
        body = b""
    elif "chunked" in headers.get("transfer-encoding", "").lower():
        body = _chunks(reader)
    elif "content-length" in headers:
        body = reader.exactly(_length(headers["content-length"]))
    else:
        body, to_its_end = reader.everything(), False
    # What is left over belongs to no request, so nothing that follows on this connection can be trusted.
    return Answer(status, headers, body, closes or not to_its_end or reader.holds_more)


def _status(line: bytes) -> tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    number = rest[:3]
    if not version.startswith(b"HTTP/1.") or not number.isdigit() or len(number) != 3 or rest[3:4].strip():
        raise NoHttp(f"the answer is not HTTP: {line[:60]!r}")
    return version, int(number)


def _headers(reader: _Reader) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    left = _HEADERS_LIMIT
    while line := reader.line().decode("latin-1"):
        left -= 1
        if left < 0:
            raise NoHttp(f"the answer has more than {_HEADERS_LIMIT} headers")
        if name and line[0] in " \t":  # an old way to go on with the line before
            headers[name] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise NoHttp(f"a header of the answer has no name: {line[:60]!r}")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _closes(version: bytes, headers: Mapping[str, str]) -> bool:
    wishes = {wish.strip() for wish in headers.get("connection", "").lower().split(",")}
    return "close" in wishes or (version == b"HTTP/1.0" and "keep-alive" not in wishes)


def _length(value: str) -> int:
    lengths = {each.strip() for each in value.split(",")}
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()):
        raise NoHttp(f"the answer has the length {value[:60]!r}")
    return int(length)


def _chunks(reader: _Reader) -> bytes:
    parts: list[bytes] = []
    left = BODY_LIMIT
    while size := _size_of_chunk(reader.line()):
        left -= size
        if left < 0:
            raise _too_large()
        parts.append(reader.exactly(size))
        if reader.line():
            raise NoHttp("a chunk of the answer is longer than it says")
    while reader.line():
        pass  # trailers, of which none means anything to us
    return b"".join(parts)


def _size_of_chunk(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 8 or not _HEX.issuperset(digits):
        raise NoHttp(f"a chunk of the answer has the size {line[:60]!r}")
    return int(digits, 16)


def _too_large() -> OSError:
    return OSError(f"the answer is larger than {BODY_LIMIT} bytes")


class _Reader:
    """What of one answer has arrived, and the rest as it is asked for."""

    def __init__(self, stream: Stream, give_up_at: float) -> None:
        self._stream = stream
        self._give_up_at = give_up_at
        self._arrived = bytearray()

    @property
    def holds_more(self) -> bool:
        return bool(self._arrived)

    def line(self) -> bytes:
        """Up to the next end of a line, without it."""
        searched = 0
        while (end := self._arrived.find(b"\n", searched)) < 0:
            searched = len(self._arrived)
            if searched > _LINE_LIMIT:
                raise NoHttp(f"a line of the answer is longer than {_LINE_LIMIT} bytes")
            self._more()
        return self._take(end + 1).rstrip(b"\r\n")

    def exactly(self, size: int) -> bytes:
        if size > BODY_LIMIT:
            raise _too_large()
        while (missing := size - len(self._arrived)) > 0:
            try:
                self._more()
            except EOFError:
                raise EOFError(f"the answer is {missing} bytes short") from None
        return self._take(size)

    def everything(self) -> bytes:
        """Up to the end of the connection."""
        try:
            while len(self._arrived) <= BODY_LIMIT:
                self._more()
        except EOFError:
            return self._take(len(self._arrived))
        raise _too_large()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._arrived[:size])
        del self._arrived[:size]
        return taken

    def _more(self) -> None:
        if monotonic() > self._give_up_at:  # each piece may come in time, and the answer never end
            raise TimeoutError("the answer did not end in time")
        piece = self._stream.recv(_PIECE)
        if not piece:
            raise EOFError("the connection was closed before the answer ended")
        self._arrived += piece
