"""Which cells are settled, and what do they come to? Run by the reporting thread alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from throwbar.cell import COMPARED, NO_LATENCY, UNMARKED, Cell, Ended, Marks
from throwbar.histogram import LOWEST, index_of
from throwbar.rules import Rule
from throwbar.tally import Tally
from throwbar.taxonomy import Category
from throwbar.thinning import Strand

_K = TypeVar("_K")
UNTIMED = LOWEST - 1  # the index of a key of which no call was let through
_FAR_AHEAD_SECONDS = 120  # a bucket that far in the future was begun before the clock was set back


class Identity(NamedTuple):
    """What makes cells of several threads one cell of the report."""

    flag: str
    operation: str
    side: str
    backend: str
    attempt: int
    assigned_by: str
    share: int
    start: int

    @property
    def strand(self) -> Strand:
        return Strand(self.flag, self.operation, self.attempt)


class Sum(NamedTuple):
    """The settled calls of one identity, over all threads.

    `mask` says which keys were looked at, `tolerance` by how many histogram buckets this side may be slower, `rules`
    which ones were in force: None where they changed within the bucket.
    """

    identity: Identity
    calls: int
    pending: int
    errors: dict[str, int]
    latency: dict[int, int]
    keys: dict[str, int]
    bad: set[str]
    mask: int
    tolerance: int = 0
    marks: Marks = UNMARKED
    shadow: Mapping[str, int] = {}
    ratio: Mapping[int, int] = {}
    rules: tuple[Rule, ...] | None = ()


def settle(tally: Tally, now: float, outcome_deadline_seconds: float) -> list[Sum]:
    """Take every cell whose bucket is over and whose calls are finished or past the deadline, each exactly once."""
    sort_strays(tally)
    sums = []
    for identity, cells in _by_identity(tally, now).items():
        if now >= max(cell.end for cell in cells) + outcome_deadline_seconds:
            for cell in cells:
                _give_up(cell, tally.perf_clock_ns())
        if all(_settled(cell) for cell in cells):
            sums.append(_sum(identity, cells, tally.thinning.mask(identity.strand, identity.start)))
            _remove(cells)
    _bury(tally)
    tally.thinning.forget(int(now - outcome_deadline_seconds) - 300)
    return sums


def settle_all(tally: Tally) -> tuple[list[Sum], int]:
    """Take everything at the end of the process, and the number of calls that never came back.

    Those are left out, not pending: a process that is told to stop is no evidence against a backend.
    """
    sort_strays(tally)
    sums, unfinished = [], 0
    for identity, cells in _by_identity(tally, float("inf")).items():
        for cell in cells:
            abandoned = list(cell.open.values())
            cell.open.clear()
            cell.started -= len(abandoned)
            unfinished += sum(key is not COMPARED for key, _ in abandoned)
        sums.append(_sum(identity, cells, tally.thinning.mask(identity.strand, identity.start)))
        _remove(cells)
    return [total for total in sums if total.calls or total.shadow], unfinished


def _by_identity(tally: Tally, now: float) -> dict[Identity, list[Cell]]:
    """Cells whose bucket is over, sealed against further calls."""
    groups: dict[Identity, list[Cell]] = {}
    for thread in list(tally.threads):
        for cell in list(thread.live):
            if now >= cell.end or cell.start > now + _FAR_AHEAD_SECONDS:
                cell.sealed = True
                groups.setdefault(_identity(cell), []).append(cell)
    return groups


def _identity(cell: Cell) -> Identity:
    choice = cell.choice
    plan = choice.plan
    return Identity(
        plan.flag,
        plan.operation,
        choice.side,
        choice.backend,
        plan.attempt,
        choice.assigned_by,
        plan.share,
        cell.start,
    )


def sort_strays(tally: Tally) -> None:
    """Hand calls that ended in another thread to the cell they started in."""
    while tally.strays:
        stray = tally.strays.popleft()
        call = stray.cell.open.pop(stray.number, None)
        if call is not None:
            ended = Ended(call[0], stray.ended_ns - call[1], stray.category, marks=stray.marks)
            stray.cell.strays.append(ended)


def _give_up(cell: Cell, now_ns: int) -> None:
    """Whoever pops a call owns its outcome; one that comes back later finds nothing to pop.

    A comparison is left alone: it will be over at once, and nobody may take it for a call that hangs.
    """
    for token in list(cell.open):
        call = cell.open.get(token)
        if call is not None and call[0] is not COMPARED and cell.open.pop(token, None) is not None:
            cell.strays.append(Ended(call[0], now_ns - call[1], None, pending=True))


def _settled(cell: Cell) -> bool:
    return cell.started == cell.finished + len(cell.strays)


def _sum(identity: Identity, cells: Sequence[Cell], mask: int) -> Sum:
    total = Sum(identity, 0, 0, {}, {}, {}, set(), mask)
    calls = pending = tolerance = 0
    marks: list[Marks] = []
    shadow: dict[str, int] = {}
    ratio: dict[int, int] = {}
    for cell in cells:
        tolerance = cell.choice.plan.latency_tolerance if cell.choice.candidate else 0
        calls += cell.finished + len(cell.strays)
        pending += sum(stray.pending for stray in cell.strays)
        _add_counts(total.errors, cell.errors)
        _add_counts(total.latency, {slot + LOWEST: count for slot, count in enumerate(cell.latency) if count})
        _add_keys(total, ((key, _index(slot)) for key, slot in cell.keys.items()), cell.bad)
        _add_counts(shadow, cell.shadow)
        _add_counts(ratio, cell.ratio)
        marks += [cell.marks, *(stray.marks for stray in cell.strays)]
        for stray in cell.strays:
            _add_stray(total, stray)
    marked = Marks(*(sum(column) for column in zip(*marks, strict=True)))
    total = total._replace(calls=calls, pending=pending, tolerance=tolerance, marks=marked, shadow=shadow, ratio=ratio)
    return total._replace(rules=_rules(cells))


def _rules(cells: Iterable[Cell]) -> tuple[Rule, ...] | None:
    """A flag that is written alike keeps its rules, so that they are the same object."""
    first, *others = (cell.choice.plan.rules for cell in cells)
    return first if all(each is first for each in others) else None


def _index(slot: int) -> int:
    return UNTIMED if slot == NO_LATENCY else slot + LOWEST


def _add_stray(total: Sum, stray: Ended) -> None:
    index = index_of(stray.duration_ns)
    _add_counts(total.latency, {index: 1})
    if stray.category is not None:
        _add_counts(total.errors, {stray.category: 1})
    if stray.key is not None and stray.category is not Category.CANCELLED:
        failed = stray.pending or stray.category is not None
        _add_keys(total, [(stray.key, index)], {stray.key} if failed else set())


def _add_counts(into: dict[_K, int], counts: Mapping[_K, int]) -> None:
    for name, count in counts.items():
        into[name] = into.get(name, 0) + count


def _add_keys(total: Sum, slowest: Iterable[tuple[str, int]], bad: set[str]) -> None:
    for key, index in slowest:
        if not hash(key) & total.mask and index > total.keys.get(key, index - 1):
            total.keys[key] = index
    total.bad.update(key for key in bad if not hash(key) & total.mask)


def _remove(cells: Iterable[Cell]) -> None:
    for cell in cells:
        cell.owner.live.remove(cell)


def take_dropped(tally: Tally) -> int:
    """Calls that found no room since this was last asked."""
    dropped = 0
    for thread in list(tally.threads):
        seen = thread.dropped
        dropped += seen - thread.dropped_taken
        thread.dropped_taken = seen
    return dropped


def _bury(tally: Tally) -> None:
    """Forget threads that ended and left nothing behind."""
    for thread in list(tally.threads):
        if thread.alive() is None and not thread.live and thread.dropped == thread.dropped_taken:
            tally.threads.remove(thread)
