"""After a failed start, when is the next one worth a try?"""

from __future__ import annotations

from collections.abc import Callable

from throwbar.chance import chance
from throwbar.clock import monotonic


class Resting:
    """Longer after each failure in a row, up to `longest` seconds; by chance shorter, so that processes disperse."""

    def __init__(
        self,
        first: float,
        longest: float,
        clock: Callable[[], float] = monotonic,
        chance: Callable[[], float] = chance,
    ) -> None:
        self._first = first
        self._longest = longest
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._until = 0.0

    def left(self) -> float:
        """Seconds; 0.0 when it may be tried now."""
        return max(self._until - self._clock(), 0.0) if self._failures else 0.0

    def failed(self) -> None:
        longest = min(self._first * 2.0 ** min(self._failures, 60), self._longest)
        self._until = self._clock() + longest * (0.5 + 0.5 * self._chance())
        self._failures += 1

    def succeeded(self) -> None:
        self._failures = 0
