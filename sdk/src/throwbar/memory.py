"""Which keys were already bad in this attempt, and how slow were they? So that a key is held against a backend once.

A key stays on its side, so its failures cluster there; counted again in every bucket, a single broken key would
roll a healthy candidate back. Both sides share one memory: a key that fails everywhere must not count once more
when the growing share moves it to the candidate. So that they can share it, the candidate's durations are lowered by
what is tolerated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from throwbar.halves import in_first_half
from throwbar.harvest import UNTIMED, Sum
from throwbar.histogram import LOWEST
from throwbar.thinning import Thinning

KEYS_PER_MEMORY = 20_000
MEMORIES = 2_000  # operations; the one not heard of for longest goes first


def drawn_first(sums: Iterable[Sum]) -> list[Sum]:
    """In the order of time, and in each bucket first what the share assigned: there a key is counted as drawn.

    Were its rescue, or its call in the shadow, learned before it, the share would seem to have drawn too few keys.
    """
    return sorted(sums, key=lambda total: (total.identity.start, total.identity.assigned_by != "share"))


class News(NamedTuple):
    """What a bucket says about its keys that the attempt did not know: histograms by index.

    `fresh_halves` and `bad_halves` count the baseline's keys that were seen, and seen to fail, for the first time:
    those in the first half of all keys, and the others.
    """

    bad_keys: int
    key_latency: dict[int, int]
    rise_from: dict[int, int]
    rise_to: dict[int, int]
    fresh_halves: tuple[int, int] = (0, 0)
    bad_halves: tuple[int, int] = (0, 0)


class _Memory:
    """An operation in one attempt, both sides together. Keys are kept as their 64-bit hashes."""

    __slots__ = ("attempt", "bad", "mask", "slowest")

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.mask = 0
        self.bad: set[int] = set()
        self.slowest: dict[int, int] = {}

    def thin(self, mask: int) -> None:
        self.mask = mask
        self.bad = {hashed for hashed in self.bad if not hashed & mask}
        self.slowest = {hashed: index for hashed, index in self.slowest.items() if not hashed & mask}


class Memories:
    """The memories of one process."""

    def __init__(self, thinning: Thinning) -> None:
        self._thinning = thinning
        self._memories: dict[tuple[str, str], _Memory] = {}

    def learn(self, total: Sum) -> News:
        """What is new in this sum; afterwards it is known."""
        memory = self._recall(total)
        if total.mask & ~memory.mask:
            memory.thin(memory.mask | total.mask)
        timed = {key: index for key, index in total.keys.items() if index != UNTIMED}
        bad = _learn_bad(memory, total.bad)
        news = News(len(bad), dict(Counter(timed.values())), {}, {}, bad_halves=_halved(total, bad))
        fresh = []
        for key, index in timed.items():
            hashed = hash(key)
            if not hashed & memory.mask and _learn_slowest(memory, hashed, max(index - total.tolerance, LOWEST), news):
                fresh.append(key)
        if len(memory.slowest) > KEYS_PER_MEMORY:
            self._thinning.raise_floor(total.identity.strand, memory.mask)
        return news._replace(fresh_halves=_halved(total, fresh))

    def _recall(self, total: Sum) -> _Memory:
        identity = total.identity
        place = (identity.flag, identity.operation)
        memory = self._memories.pop(place, None)
        if memory is None or memory.attempt < identity.attempt:
            if memory is not None:
                self._thinning.forget_strand(identity.strand._replace(attempt=memory.attempt))
            memory = _Memory(identity.attempt)
        self._memories[place] = memory  # last again: a dict keeps the order of insertion
        if len(self._memories) > MEMORIES:
            del self._memories[next(iter(self._memories))]
        return memory


def _learn_bad(memory: _Memory, bad: set[str]) -> list[str]:
    """The keys that are bad for the first time."""
    fresh = [key for key in bad if not hash(key) & memory.mask and hash(key) not in memory.bad]
    memory.bad.update(map(hash, fresh))
    return fresh


def _learn_slowest(memory: _Memory, hashed: int, index: int, news: News) -> bool:
    """Whether the key is seen for the first time."""
    known = memory.slowest.get(hashed)
    if known is not None and known >= index:
        return False
    memory.slowest[hashed] = index
    news.rise_to[index] = news.rise_to.get(index, 0) + 1
    if known is not None:
        news.rise_from[known] = news.rise_from.get(known, 0) + 1
    return known is None


def _halved(total: Sum, keys: Collection[str]) -> tuple[int, int]:
    """Only the baseline's keys are split: between them nothing is known to differ."""
    if total.identity.side != "baseline":
        return 0, 0
    first = sum(in_first_half(total.identity.flag, key) for key in keys)
    return first, len(keys) - first
