"""The body of a request, within bounds: how much is read, and how much may come out of it."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from web.edge.http import Problem, Receive, problem


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes a kind of body may have, inflated, and what to do about more."""

    kind: str
    largest: int
    advice: str

    @property
    def patience(self) -> int:
        """What is read and thrown away, so that a client hears the refusal instead of a broken pipe."""
        return max(16 * self.largest, 16 << 20)

    def exceeded(self) -> Problem:
        words = f"{self.kind} may have {self.largest} bytes: {self.advice}"
        return problem(413, words, (b"connection", b"close"))


REPORT = Bounds("a report", 1 << 20, "send fewer cells in each")


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, bounds: Bounds = REPORT) -> bytes:
    """The inflated body. Raises Problem 413 beyond its bounds, 415 for what is not gzip, 400 for broken gzip."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    raw = await _read(receive, bounds)
    if encoding in {b"identity", b""}:
        return raw
    if encoding != b"gzip":
        raise problem(415, "Content-Encoding may be gzip or absent", (b"accept-encoding", b"gzip"))
    return _inflated(raw, bounds)


async def _read(receive: Receive, bounds: Bounds) -> bytes:
    body, more, seen = bytearray(), True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problem(400, "the connection ended before the body did")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        seen += len(chunk)
        if seen <= bounds.largest:
            body += chunk
        elif seen > bounds.patience:
            break
    if seen > bounds.largest:
        raise bounds.exceeded()
    return bytes(body)


def _inflated(raw: bytes, bounds: Bounds) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, bounds.largest + 1)
    except zlib.error:
        raise problem(400, "Content-Encoding says gzip, the body is something else") from None
    if len(body) > bounds.largest:
        raise bounds.exceeded()
    if not inflater.eof or inflater.unused_data:
        raise problem(400, "the gzip body is cut short, or more follows after its end")
    return body
