"""What is counted of the calls of one side in one bucket? A cell, which one thread writes and nobody locks.

Every order of statements here is chosen, as in `tally.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from throwbar.decision import Choice
from throwbar.histogram import SLOTS
from throwbar.taxonomy import Category

CELLS_PER_THREAD = 2_000
KEYS_PER_CELL = 20_000
KEYS_PER_THREAD = 200_000
_CANCELLED = Category.CANCELLED
REFUSED = "breaker"  # the error category of calls that an open breaker kept from their backend
UNSEEN = -2
NO_LATENCY = -1  # the slot of a key that was never let through


class _Known(str):
    """Told by identity alone: no key of a user is it, whatever its text."""

    __slots__ = ()


COMPARED = _Known()  # in `open` the key of what is only being compared: no call, and over in no time


class Marks(NamedTuple):
    """What a finished call adds to its cell besides its outcome."""

    retries: int = 0
    fallbacks: int = 0
    unknown: int = 0


UNMARKED = Marks()


class Ended(NamedTuple):
    """One call that is over, or given up as pending."""

    key: str | None
    duration_ns: int
    category: str | None
    pending: bool = False
    marks: Marks = UNMARKED


class Cell:
    """Calls of one thread that took one choice and started in one bucket.

    `latency` counts by slot, which is the histogram's index counted from 0; `keys` maps a key to the slot of its
    slowest call; `untimed` counts calls that were never let through; `open` maps the number of a call that has not
    come back to (key, start in ns). `until_ns` is when the bucket ends by the clock of spans, so that a hot path need
    not ask a second one: when the other is set meanwhile, the reader seals the cell as it comes by. `strays` belongs
    to the reader: calls that ended in another thread, or not at all. `marks` sums up what finished calls were marked
    with, `shadow` and `ratio` what came of calling the other side, too. `failed` are the bad keys that failed at the
    backend itself: a key that an open breaker kept from it is bad, and not among them.
    """

    __slots__ = (
        *("bad", "choice", "end", "errors", "failed", "keys", "latency", "marks", "mask", "open"),
        *("owner", "ratio", "sealed", "shadow", "start", "started", "strays", "until_ns", "untimed"),
    )

    def __init__(self, choice: Choice, start: int, end: int, mask: int, owner: ThreadCells) -> None:
        self.choice = choice
        self.start = start
        self.end = end
        self.until_ns = 0
        self.mask = mask
        self.owner = owner
        self.sealed = False
        self.started = 0
        self.untimed = 0
        self.open: dict[int, tuple[str | None, int]] = {}
        self.errors: dict[str, int] = {}
        self.latency = [0] * SLOTS
        self.keys: dict[str, int] = {}
        self.bad: set[str] = set()
        self.failed: set[str] = set()
        self.marks = UNMARKED
        self.shadow: dict[str, int] = {}
        self.ratio: dict[int, int] = {}
        self.strays: list[Ended] = []

    def add(self, key: str | None, slot: int, category: str | None) -> None:
        """Count one finished call by the slot of its duration. Only the owning thread may."""
        if category is not None:
            self.errors[category] = self.errors.get(category, 0) + 1
            if category == _CANCELLED:
                key = None  # it says nothing about the backend, so nothing about its key
        if key is not None and not (self.mask and hash(key) & self.mask):
            slowest = self.keys.get(key)
            if slowest is None or slot > slowest:
                self.keys[key] = slot
            if category is not None:
                self.bad.add(key)
                if category != REFUSED:
                    self.failed.add(key)
        if slot >= 0:
            self.latency[slot] += 1
        else:
            self.untimed += 1

    def turn_away(self, key: str | None) -> None:
        """Count a call that was not let through, and is neither good nor bad, nor is its key."""
        self.errors[_CANCELLED] = self.errors.get(_CANCELLED, 0) + 1
        if key is not None and not (self.mask and hash(key) & self.mask):
            self.keys.setdefault(key, NO_LATENCY)
        self.untimed += 1

    @property
    def finished(self) -> int:
        """Calls that are counted in full: a call that has its place in `latency`, or in `untimed`, has all others."""
        return sum(self.latency) + self.untimed

    def mark(self, marks: Marks) -> None:
        mine = self.marks
        self.marks = Marks(mine[0] + marks[0], mine[1] + marks[1], mine[2] + marks[2])

    def thin(self, mask: int) -> None:
        """Keep only the keys that this mask looks at."""
        self.mask = mask
        self.keys = {key: index for key, index in self.keys.items() if not hash(key) & mask}
        self.bad = {key for key in self.bad if not hash(key) & mask}
        self.failed = {key for key in self.failed if not hash(key) & mask}


class ThreadCells:
    """The cells of one thread: `books` by choice for its writer, `live` for the reader until it has read them.

    `current` is what the short ways find of `books`: nothing while `shadows` are under way in this thread, so that no
    call inside one is taken for a user's. `dropped` counts the calls that found no room, `dropped_taken` those of them
    that the reader has seen.
    """

    __slots__ = ("alive", "books", "current", "dropped", "dropped_taken", "live", "shadows")

    def __init__(self, alive: Callable[[], object]) -> None:
        self.books: dict[Choice, Cell] = {}
        self.current: dict[Choice, Cell] = {}
        self.shadows: set[object] = set()
        self.live: list[Cell] = []
        self.dropped = 0
        self.dropped_taken = 0
        self.alive = alive

    @property
    def full(self) -> bool:
        live = self.live
        return len(live) >= CELLS_PER_THREAD or (
            len(live) > KEYS_PER_THREAD // KEYS_PER_CELL and sum(len(cell.keys) for cell in live) >= KEYS_PER_THREAD
        )
