"""Where do the two stores of a dual write differ, as far as we know?"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

KEPT = 100  # per operation; the oldest goes first, and stays counted


class Divergence(NamedTuple):
    """A write that one backend has and the other has not, or may not have.

    `at` in seconds since the epoch. `because` is the category of the failure, or a sentence. With `first_unknown`
    nobody knows whether `done_at` has it. Arguments and result are copies, and stay in this process.
    """

    flag: str
    operation: str
    at: float
    key: str | None
    done_at: str
    missing_at: str
    because: str
    first_unknown: bool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


Reconcile = Callable[[Divergence], Awaitable[None] | None]


class Divergences:
    """Those of one operation: all are counted, and those kept that no `reconcile` took."""

    def __init__(self) -> None:
        self.seen = 0
        self.hook_failures = 0
        self._taken = 0
        self._kept: deque[Divergence] = deque(maxlen=KEPT)

    def note(self) -> None:
        self.seen += 1

    def keep(self, divergence: Divergence) -> None:
        self._kept.append(divergence)

    def kept(self) -> list[Divergence]:
        """Those that wait for somebody, oldest first. Afterwards they are the asker's."""
        return [self._kept.popleft() for _ in range(len(self._kept))]

    def fresh(self) -> int:
        """How many since this was last asked, for the report."""
        seen = self.seen
        taken, self._taken = seen - self._taken, seen
        return taken
