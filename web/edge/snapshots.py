"""Which snapshot is in force, and is it newer than the one in a service's hand? Bodies are made once, not per poll."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from web.edge.http import JSON, PRIVATE, Answer, Headers

VARY = (b"vary", b"Authorization, Accept-Encoding")
GZIP = (b"content-encoding", b"gzip")
_WORTH_ZIPPING = 512  # bytes; below, the headers are most of the answer


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot, or another document of a version, with its answers ready-made."""

    source: str
    version: int
    etag: bytes
    whole: Answer
    zipped: Answer
    unchanged: Answer

    def answer(self, *, accepts_gzip: bool) -> Answer:
        return self.zipped if accepts_gzip else self.whole

    def is_newer_than(self, held: bytes | None) -> bool:
        """`held` is the If-None-Match of a request. Nothing is newer for who got a later version from a replica."""
        if held is None:
            return True
        return held != self.etag and not any(self._covers(each) for each in held.split(b","))

    def _covers(self, tag: bytes) -> bool:
        told = tag_of(tag)
        return told is not None and told[0] == self.source and told[1] >= self.version


def tag_of(etag: bytes) -> tuple[str, int] | None:
    """Source and version of an ETag of ours; None for another."""
    source, _, version = etag.strip().removeprefix(b"W/").strip(b'"').rpartition(b".")
    if not source or not version.isdigit():
        return None
    return source.decode("latin-1"), int(version[:20])


def snapshot_of(document: Mapping[str, Any]) -> Snapshot:
    """As `ready_made`, of a document that tells its own source and version."""
    return ready_made(document, document["source"], document["version"])


def ready_made(document: Mapping[str, Any], source: str, version: int) -> Snapshot:
    """Encoded and compressed: milliseconds for thousands of flags, so not on the event loop."""
    body = msgspec.json.encode(document)
    small = gzip.compress(body, compresslevel=6, mtime=0) if len(body) >= _WORTH_ZIPPING else body
    etag = f'"{source}.{version}"'.encode()
    always: Headers = ((b"etag", etag), PRIVATE, VARY)
    whole = _ok(body, always)
    zipped = _ok(small, (*always, GZIP)) if small is not body else whole
    return Snapshot(source, version, etag, whole, zipped, Answer(304, always))


def _ok(body: bytes, headers: Headers) -> Answer:
    return Answer(200, (JSON, (b"content-length", b"%d" % len(body)), *headers), body)


def accepts_gzip(accept_encoding: bytes | None) -> bool:
    """Whether gzip may be used; `gzip;q=0` forbids it."""
    if not accept_encoding:
        return False
    offers = [offer.replace(b" ", b"").lower() for offer in accept_encoding.split(b",")]
    return any(offer.split(b";")[0] in {b"gzip", b"*"} and not _is_forbidden(offer) for offer in offers)


def _is_forbidden(offer: bytes) -> bool:
    return offer.partition(b";q=")[2].strip(b"0.") == b"" and b";q=" in offer
