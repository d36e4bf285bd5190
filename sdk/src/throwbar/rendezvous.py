"""Which worker is a session's home, and which would be its next? Pure: whoever knows the workers knows the answer.

Highest random weight: each worker draws a number for the session, and the highest wins. When a worker goes, its
sessions go to their second-highest, and no other session notices. Never change the hash: it would move every session.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mmh3 import mmh3_x64_128_uintdigest


class Contender(NamedTuple):
    """A worker, with the part of its draws that all sessions share."""

    worker: str
    weight: float
    prefix: bytes


def contenders(workers: Iterable[str], weights: Mapping[str, float], salt: str) -> tuple[Contender, ...]:
    """In whatever order: it has no influence. A worker without a weight weighs 1."""
    return tuple(Contender(worker, weights.get(worker, 1.0), _text(salt) + _text(worker)) for worker in workers)


def ranking(session: str, among: Iterable[Contender], *, weighted: bool) -> list[str]:
    """Every worker, the session's home first."""
    key = session.encode("utf-8", "surrogatepass")
    if weighted:
        drawn = [(_weighted(mmh3_x64_128_uintdigest(each.prefix + key), each.weight), each.worker) for each in among]
    else:
        drawn = [(mmh3_x64_128_uintdigest(each.prefix + key), each.worker) for each in among]
    drawn.sort(reverse=True)
    return [worker for _, worker in drawn]


def _weighted(draw: int, weight: float) -> float:
    """-w / ln(u), whose highest falls to each worker in proportion to its weight."""
    uniform = ((draw >> 76) + 0.5) * 2.0**-52  # 52 bits, so that it never rounds to 1, where the logarithm is 0
    return -weight / math.log(uniform)


def _text(text: str) -> bytes:
    """With its length before it: no two pairs of salt and worker share a prefix."""
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(4, "big") + raw
