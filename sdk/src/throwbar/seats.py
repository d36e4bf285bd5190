"""Which session sits at which worker, and how full is each? What is not used for long is forgotten."""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from typing import NamedTuple


class Placement(StrEnum):
    """Why a session is where it is."""

    HOME = "home"  # where every process would look first
    OVERFLOW = "overflow"  # its home has its share of the sessions already
    FAILOVER = "failover"  # its home, or the worker it was at, is dead or gone
    PROBE = "probe"  # the first that its home gets after it died
    BUSY = "busy"  # for this one call: its own worker is occupied


class Assignment(NamedTuple):
    """A worker and the reason for it.

    `moved_from` is set once, for the first call after a move: what the session had there is gone. It may equal
    `worker`, which then died and came back.
    """

    worker: str
    reason: Placement
    moved_from: str | None = None


class Seat:
    """One session's. `life` (of the worker) and `epoch` are those under which it was last found good."""

    __slots__ = ("assignment", "epoch", "life", "news", "used_at")

    def __init__(self, assignment: Assignment, life: int, epoch: int) -> None:
        self.assignment = assignment
        self.life = life
        self.epoch = epoch
        self.news: Assignment | None = None  # a move that the service has not been told of yet
        self.used_at = 0.0


class Seats:
    """All seats of one process, those used longest ago first. Not locked: its owner is."""

    def __init__(self, limit: int, idle_seconds: float) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._seats: OrderedDict[str, Seat] = OrderedDict()
        self.loads: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._seats)

    def find(self, session: str, now: float) -> Seat | None:
        """The seat that a session still has. Looking is using."""
        seat = self._seats.get(session)
        if seat is None:
            return None
        if now - seat.used_at >= self._idle_seconds:
            self.leave(session)
            return None
        seat.used_at = now
        self._seats.move_to_end(session)
        return seat

    def peek(self, session: str) -> Seat | None:
        return self._seats.get(session)

    def take(self, session: str, seat: Seat, now: float) -> None:
        self.leave(session)
        seat.used_at = now
        self._seats[session] = seat
        worker = seat.assignment.worker
        self.loads[worker] = self.loads.get(worker, 0) + 1
        if len(self._seats) > self._limit:
            self.leave(next(iter(self._seats)))

    def leave(self, session: str) -> None:
        seat = self._seats.pop(session, None)
        if seat is None:
            return
        worker = seat.assignment.worker
        self.loads[worker] -= 1
        if not self.loads[worker]:
            del self.loads[worker]

    def sweep(self, now: float) -> None:
        """Forget the sessions that are over."""
        while self._seats:
            session, seat = next(iter(self._seats.items()))
            if now - seat.used_at < self._idle_seconds:
                return
            self.leave(session)
