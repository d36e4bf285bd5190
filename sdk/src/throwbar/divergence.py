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


# Returns when both stores agree again: the control plane is told so, and a plan that moves data goes on. One that only
# puts it down for later returns False.
Reconcile = Callable[[Divergence], Awaitable[bool | None] | bool | None]
_SIDES = ("baseline", "candidate")


class Divergences:
    """Those of one operation: all are counted, by the side that misses them; what no `reconcile` took is kept."""

    def __init__(self) -> None:
        self.seen = 0
        self._missing = [0, 0]
        self._reconciled = [0, 0]
        self._told: dict[str, int] = {}
        self.hook_failures = 0
        self._taken = 0
        self._kept: deque[Divergence] = deque(maxlen=KEPT)

    def note(self, *, candidate: bool) -> None:
        """One more that the candidate's store misses, or the baseline's."""
        self.seen += 1
        self._missing[candidate] += 1

    def reconciled(self, *, candidate: bool) -> None:
        """That side's store has got it since."""
        self._reconciled[candidate] += 1

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

    def fresh_sides(self) -> dict[str, int]:
        """The same by side, with those that were reconciled; what is 0 is left out."""
        now = {
            f"{side}_{what}": counts[place]
            for what, counts in (("missing", self._missing), ("reconciled", self._reconciled))
            for place, side in enumerate(_SIDES)
        }
        told, self._told = self._told, now
        return {name: count - told.get(name, 0) for name, count in now.items() if count > told.get(name, 0)}
