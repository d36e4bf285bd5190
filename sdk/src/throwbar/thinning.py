"""Which keys are looked at when there are too many of them?

Those whose hash ends in enough zero bits. The mask belongs to an operation and a bucket, not to a side, so both
arms of a comparison are thinned alike; a failing key is as likely to stay as a healthy one. All key figures of a
cell are about the same keys. Python's own string hash serves: it costs nothing and is uniform.
"""

import threading
from typing import NamedTuple


class Strand(NamedTuple):
    """The evidence that keys are remembered for: one attempt at one operation."""

    flag: str
    operation: str
    attempt: int


class Thinning:
    """Masks by strand and bucket. A key is looked at when `hash(key) & mask == 0`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._floors: dict[Strand, int] = {}
        self._masks: dict[tuple[Strand, int], int] = {}

    def mask(self, strand: Strand, start: int) -> int:
        """The mask of a bucket; the first to ask fixes it at the floor of that moment."""
        return self._masks.setdefault((strand, start), self._floors.get(strand, 0))

    def widen(self, strand: Strand, start: int, mask: int) -> int:
        """Halve the keys of one bucket, because a cell with this mask is full."""
        with self._lock:
            wider = max(self.mask(strand, start), mask << 1 | 1)
            self._masks[strand, start] = wider
            return wider

    def raise_floor(self, strand: Strand, mask: int) -> None:
        """Halve the keys of all buckets to come, because the memory of an attempt is full at this mask."""
        with self._lock:
            self._floors[strand] = max(self._floors.get(strand, 0), mask << 1 | 1)

    def forget(self, before: int) -> None:
        """Drop the masks of buckets that started before this second."""
        for strand, start in list(self._masks):
            if start < before:
                self._masks.pop((strand, start), None)

    def forget_strand(self, strand: Strand) -> None:
        """An attempt is over: the next one starts with all keys."""
        self._floors.pop(strand, None)
