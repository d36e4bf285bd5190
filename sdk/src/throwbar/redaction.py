"""What may be said about a mismatch outside of the process? Types, sizes and keyed hashes, unless a place is named."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from throwbar.comparison import Raised
from throwbar.difference import Difference
from throwbar.parts import MISSING
from throwbar.paths import Places, is_plain, spell

LARGEST_BYTES = 4_096  # of one sample
_LONGEST_NAME = 40  # of a field: what is longer is data
_LONGEST_SHOWN = 200

_secret: list[tuple[int, bytes]] = []  # of this process: (its number, 32 random bytes)


def fingerprint(what: str, data: bytes) -> str:
    """16 hexadecimal digits: the same for the same data in this process, and nowhere else."""
    from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL, which a host should not pay for at import

    return blake2b(data, digest_size=8, key=_key(), person=what.encode()[:16]).hexdigest()


def key_fingerprint(key: str) -> str:
    """Of the key of a call."""
    return fingerprint("key", key.encode("utf-8", "surrogatepass"))


def redacted(differences: Iterable[Difference], show: Places) -> list[dict[str, Any]]:
    """The `paths` of a sample; the last ones are left out where all would take more than 4 kB."""
    paths: list[dict[str, Any]] = []
    room = LARGEST_BYTES - 512  # for what surrounds them
    for path, baseline, candidate in differences:
        shown = show.hold(path)
        described = {
            "path": spell(tuple(_named(step) for step in path)),
            "baseline": describe(baseline, shown=shown),
            "candidate": describe(candidate, shown=shown),
        }
        room -= len(json.dumps(described)) + 2
        if room < 0:
            break
        paths.append(described)
    return paths


def describe(value: object, *, shown: bool = False) -> Mapping[str, Any]:
    """`type`; `size` of what has a length; `hash`, or `value` where it may be shown, of what is one piece."""
    if value is MISSING:
        return {"type": "missing"}
    if isinstance(value, Raised):
        return {"type": f"raised {value.what}"}
    told: dict[str, Any] = {"type": type(value).__name__[:_LONGEST_SHOWN]}
    if isinstance(value, str | bytes | list | tuple | dict | set | frozenset):
        told["size"] = len(value)
    if shown:
        told["value"] = _shown(value)
    elif (data := _bytes_of(value)) is not None:
        told["hash"] = fingerprint(type(value).__name__, data)
    return told


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 53):
        return value if value == value and value not in (float("inf"), float("-inf")) else str(value)  # noqa: PLR0124
    return (value if isinstance(value, str) else repr(value))[:_LONGEST_SHOWN]


def _bytes_of(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if value is None or type(value) in (bool, int, float, complex):
        return repr(value).encode() if not isinstance(value, int) else b"%x" % value
    return None


def _named(step: str | int) -> str | int:
    """A key of a mapping may be a customer's address: only what looks like the name of a field is told."""
    if isinstance(step, int):
        return step if step < 1 << 20 else "#" + fingerprint("name", b"%x" % step)
    if len(step) <= _LONGEST_NAME and is_plain(step):
        return step
    return "#" + fingerprint("name", step.encode("utf-8", "surrogatepass"))


def _key() -> bytes:
    if not _secret or _secret[-1][0] != os.getpid():
        _secret[:] = [(os.getpid(), os.urandom(32))]
    return _secret[-1][1]
