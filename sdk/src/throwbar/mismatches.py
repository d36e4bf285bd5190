"""Which mismatches are told as examples? A few of each operation, redacted before they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from throwbar.comparison import Comparison
from throwbar.paths import Places
from throwbar.redaction import key_fingerprint, redacted

PER_MINUTE = 5
WAITING = 200  # samples that no report has taken yet


class Mismatches:
    """The samples of one process. Added to by shadow calls, taken by the report."""

    def __init__(self, wall_clock: Callable[[], float], key_hash: Callable[[str], str] = key_fingerprint) -> None:
        self._wall_clock = wall_clock
        self._key_hash = key_hash
        self._waiting: deque[dict[str, Any]] = deque()
        self._minutes: dict[tuple[str, str], tuple[int, int]] = {}  # operation → (minute, samples in it)

    def add(self, operation: tuple[str, str], key: str | None, comparison: Comparison, show: Places) -> None:
        """`operation` is (flag, operation). Keeps nothing when there are enough."""
        now = self._wall_clock()
        if len(self._waiting) >= WAITING or not self._room(operation, int(now // 60)):
            return
        self._waiting.append(
            {
                "flag": operation[0],
                "operation": operation[1],
                "at": now,
                "key": None if key is None else self._key_hash(key),
                "paths": redacted(comparison.differences, show),
            }
        )

    def take(self) -> list[dict[str, Any]]:
        """The samples since this was last asked, as they stand in a report."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _room(self, operation: tuple[str, str], minute: int) -> bool:
        known = self._minutes.get(operation, (minute, 0))
        used = known[1] if known[0] == minute else 0
        if used >= PER_MINUTE:
            return False
        self._minutes[operation] = (minute, used + 1)
        return True
