"""The body of a request, within bounds: how much is read, and how much may come out of it."""

import zlib
from collections.abc import Mapping

from web.edge.http import Problem, Receive, problem

LIMIT = 1 << 20  # bytes of a report, inflated
_PATIENCE = 16 * LIMIT  # what is read and thrown away, so that a client hears the refusal instead of a broken pipe


async def read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """The inflated body. Raises Problem 413 above LIMIT, 415 for an encoding other than gzip, 400 for broken gzip."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    raw = await _read(receive)
    if encoding in {b"identity", b""}:
        return raw
    if encoding != b"gzip":
        raise problem(415, "Content-Encoding may be gzip or absent", (b"accept-encoding", b"gzip"))
    return _inflated(raw)


async def _read(receive: Receive) -> bytes:
    body, more, seen = bytearray(), True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problem(400, "the connection ended before the body did")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        seen += len(chunk)
        if seen <= LIMIT:
            body += chunk
        elif seen > _PATIENCE:
            break
    if seen > LIMIT:
        raise _too_large()
    return bytes(body)


def _inflated(raw: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, LIMIT + 1)
    except zlib.error:
        raise problem(400, "Content-Encoding says gzip, the body is something else") from None
    if len(body) > LIMIT:
        raise _too_large()
    if not inflater.eof or inflater.unused_data:
        raise problem(400, "the gzip body is cut short, or more follows after its end")
    return body


def _too_large() -> Problem:
    return problem(413, f"a report may have {LIMIT} bytes: send fewer cells in each", (b"connection", b"close"))
