"""How are calls counted without slowing them down? In cells that one thread writes and nobody locks.

Every order of statements here is chosen. The reader in another thread (`harvest.py`) relies on the interpreter
running `dict.pop`, `list.append` and attribute stores whole, on `latency` or `untimed` being raised last, and on a
sealed cell taking no further call.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from throwbar.cell import COMPARED, KEYS_PER_CELL, NO_LATENCY, REFUSED, UNMARKED, Cell, Marks, ThreadCells
from throwbar.clock import perf_clock_ns, wall_clock
from throwbar.decision import Choice
from throwbar.histogram import slot_of
from throwbar.shadow import is_shadow
from throwbar.thinning import Strand, Thinning

_CHOICES_PER_THREAD = 500


class _Anchor:
    """Lives as long as its thread does."""


OpenToken = tuple[Cell, int, int]


class Stray(NamedTuple):
    """A call that ended in another thread than it started in."""

    cell: Cell
    number: int
    ended_ns: int
    category: str | None
    marks: Marks


class Tally:
    """Where all calls of one process are counted between reports."""

    def __init__(
        self,
        wall_clock: Callable[[], float] = wall_clock,
        perf_clock_ns: Callable[[], int] = perf_clock_ns,
    ) -> None:
        self.bucket_seconds = 10
        self.thinning = Thinning()
        self.threads: list[ThreadCells] = []
        self.strays: deque[Stray] = deque()
        self.wall_clock = wall_clock
        self.perf_clock_ns = perf_clock_ns
        self.local = threading.local()

    def begin(self, choice: Choice, key: str | None) -> OpenToken | None:
        """A call starts now. None when there is no room to count it. What a shadow call asks for is no user's."""
        mine = self._mine()
        return self._begin(mine, _shadowed(choice) if mine.shadows and is_shadow() else choice, key)

    @contextmanager
    def shadowing(self) -> Iterator[None]:
        """Around a call that is made for comparison only, in its thread or its task."""
        mine, token = self._mine(), object()
        mine.shadows.add(token)
        mine.current.clear()
        try:
            yield
        finally:
            mine.shadows.discard(token)

    def _begin(self, mine: ThreadCells, choice: Choice, key: str | None) -> OpenToken | None:
        now = self.wall_clock()
        cell = mine.books.get(choice)
        if cell is None or cell.sealed or not cell.start <= now < cell.end:
            cell = self._open_cell(mine, choice, now)
            if cell is None:
                mine.dropped += 1
                return None
        if not mine.shadows:
            mine.current[choice] = cell
        number = cell.started = cell.started + 1
        if cell.sealed:  # between the look above and now: the reader may already have read this cell
            cell.started = number - 1
            return self._begin(mine, choice, key)
        started_ns = self.perf_clock_ns()
        cell.open[number] = (key, started_ns)
        return cell, number, started_ns

    def end(self, opened: OpenToken, category: str | None, marks: Marks = UNMARKED) -> None:
        """The call is over, without an error or with one of this category. Too late it was reported as pending."""
        ended_ns = self.perf_clock_ns()
        cell, number, _ = opened
        if not self.owns(cell):
            self.strays.append(Stray(cell, number, ended_ns, category, marks))
            return
        call = cell.open.pop(number, None)
        if call is not None:
            self.add(cell, call[0], slot_of(ended_ns - call[1]), category, marks)

    def refused(self, choice: Choice, key: str | None, *, tells: bool = True) -> None:
        """A call that was decided so and not let through: it failed before it began, in no time that means anything.

        Where that does not tell anything about the backend, it is as if it had been cancelled.
        """
        opened = self.begin(choice, key)
        if opened is None or opened[0].open.pop(opened[1], None) is None:
            return
        if tells:
            self.add(opened[0], key, NO_LATENCY, REFUSED, UNMARKED)
        else:
            opened[0].turn_away(key)
            self.thin(opened[0])

    def compare(self, choice: Choice, result: str, ratio: int | None = None) -> None:
        """A call of the other side was held against one that took this choice; `ratio` is a histogram index."""
        opened = self._begin(self._mine(), choice, COMPARED)
        if opened is None:
            return
        cell, number, _ = opened
        try:
            cell.shadow[result] = cell.shadow.get(result, 0) + 1
            if ratio is not None:
                cell.ratio[ratio] = cell.ratio.get(ratio, 0) + 1
        finally:  # also when the host is interrupted here, for the reader waits for it as long as it takes
            # It was begun to find the cell, and to keep the reader from it while these counts are made.
            if cell.open.pop(number, None) is not None:
                cell.started -= 1

    def add(self, cell: Cell, key: str | None, slot: int, category: str | None, marks: Marks) -> None:
        """Count a call that was taken out of its cell's `open`. Only the owning thread may."""
        if marks is not UNMARKED:
            cell.mark(marks)
        cell.add(key, slot, category)
        self.thin(cell)

    def thin(self, cell: Cell) -> None:
        """Look at fewer keys from here on, if there are too many of them."""
        if len(cell.keys) >= KEYS_PER_CELL and not cell.sealed:
            cell.thin(self.thinning.widen(strand_of(cell.choice), cell.start, cell.mask))

    def owns(self, cell: Cell) -> bool:
        """Whether this thread may write in it."""
        try:
            return cell.owner is self.local.cells
        except AttributeError:
            return False

    def _mine(self) -> ThreadCells:
        try:
            mine: ThreadCells = self.local.cells
        except AttributeError:
            return self._enlist()
        return mine

    def _enlist(self) -> ThreadCells:
        self.local.anchor = _Anchor()
        mine = ThreadCells(weakref.ref(self.local.anchor))
        self.local.cells = mine
        self.local.current = mine.current
        self.threads.append(mine)
        return mine

    def _open_cell(self, mine: ThreadCells, choice: Choice, now: float) -> Cell | None:
        if mine.full:
            return None
        start = int(now) // self.bucket_seconds * self.bucket_seconds
        if len(mine.books) >= _CHOICES_PER_THREAD:  # choices of plans long replaced; what was counted stays in `live`
            mine.books.clear()
            mine.current.clear()
        mask = self.thinning.mask(strand_of(choice), start)
        cell = Cell(choice, start, start + self.bucket_seconds, mask, mine)
        cell.until_ns = self.perf_clock_ns() + int((cell.end - now) * 1e9)
        mine.live.append(cell)
        mine.books[choice] = cell
        return cell


def _shadowed(choice: Choice) -> Choice:
    return choice.plan.by_shadow_candidate if choice.candidate else choice.plan.by_shadow_baseline


def strand_of(choice: Choice) -> Strand:
    """The attempt that a choice belongs to."""
    return Strand(choice.plan.flag, choice.plan.operation, choice.plan.attempt)
