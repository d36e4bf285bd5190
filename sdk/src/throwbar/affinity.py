"""Which worker serves this session? The same one in every process, until it dies."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from throwbar.callables import Colour, colour_of, name_of
from throwbar.clock import monotonic
from throwbar.errors import ConfigurationError, ThrowbarError
from throwbar.forked import renew_after_fork
from throwbar.lease import Lease, WorkerBusy
from throwbar.membership import Membership, Worker
from throwbar.seats import Assignment, Placement, Seat, Seats
from throwbar.turns import Turns, Waiter

SESSIONS = 100_000
LOAD_FACTOR = 1.25


class AffinityMode(StrEnum):
    """What a session insists on. Hints name the best worker; the strict modes serve state that only one worker has."""

    HINT = "hint"
    STRICT_QUEUE = "strict_queue"
    STRICT_FAIL_FAST = "strict_fail_fast"


class SessionWorkerUnavailable(ThrowbarError):
    """The worker that had the session is gone, and its state with it; `worker` names it. None: no worker is left."""

    def __init__(self, worker: str | None) -> None:
        gone = "no worker is alive" if worker is None else f"worker {worker!r} is gone, and what the session had there"
        super().__init__(f"{gone}; the next call may find another")
        self.worker = worker


class Affinity:
    """Sessions and their workers, as one process sees them. Safe for threads; no lock is held while your code runs.

    `load_factor` bounds the sessions of a worker to that multiple of its part (by `weights`) of all sessions of this
    process; whoever comes later goes to the next worker. None means 1.25 for hints and no bound in the strict modes,
    where every process must find a session at the same worker; `math.inf` is no bound. A session that is idle for
    `idle_seconds` is over. `capacity` is the number of calls a worker does at once, for `lease`. `on_move` is called
    with the session before the first call after a move, to build up again what it had; what it raises fails the call,
    and the next one tries again. Affinities with one `salt` agree. `clock` (seconds) is there for tests.

    Raises ConfigurationError.
    """

    def __init__(  # noqa: PLR0913 - all but two are named, and each has a default
        self,
        workers: Iterable[str],
        mode: str = AffinityMode.HINT,
        *,
        load_factor: float | None = None,
        weights: Mapping[str, float] | None = None,
        idle_seconds: float = 300.0,
        capacity: int | None = None,
        on_move: Callable[[str], object] | None = None,
        max_sessions: int = SESSIONS,
        salt: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.mode = _mode(mode)
        self._load_factor = _load_factor(load_factor, self.mode)
        _check_sizes(idle_seconds, capacity, max_sessions)
        if on_move is not None and colour_of(on_move) is not Colour.SYNC:
            raise ConfigurationError(f"on_move: {name_of(on_move)} is a coroutine function; ask `moved_from` instead")
        self._members = Membership(workers, weights, salt)
        self._sizes = (max_sessions, idle_seconds, capacity)
        self._on_move = on_move
        self._clock = clock
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """A new process: its own lock, no sessions and no calls."""
        sessions, idle_seconds, capacity = self._sizes
        self._lock = threading.RLock()  # a signal handler may ask in the middle of our asking
        self._seats = Seats(sessions, idle_seconds)
        self._turns = Turns(capacity)

    def assign(self, session: object) -> Assignment:
        """The session's worker. The first call after a move hears of it.

        Raises SessionWorkerUnavailable when no worker is alive and, in the strict modes, once for each session whose
        worker is gone.
        """
        text = session if type(session) is str else str(session)
        with self._lock:
            now = self._clock()
            seat = self._seats.find(text, now)
            if seat is None or seat.epoch != self._members.epoch:
                seat = self._reseat(text, seat, now)
            news, seat.news = seat.news, None
        if news is None:
            return seat.assignment
        self._tell(text, seat, news)
        return news

    def lease(self, session: object, timeout: float | None = None) -> Lease:
        """`with` or `async with` around one call at the session's worker, where a worker has a `capacity`.

        When the worker is occupied, hints go elsewhere for this call (and wait only if all are), `strict_queue` waits
        for up to `timeout` seconds or the deadline of the routed call around it, `strict_fail_fast` does not wait.
        Entering raises what `assign` raises, or WorkerBusy.
        """
        return Lease(self, str(session), timeout)

    def report_dead(self, worker: str) -> None:
        """Its sessions move, each with its next call; for 60 s it gets none, then one to try it with."""
        with self._lock:
            self._members.die(worker, self._clock())
            self._turns.dismiss(worker)

    def report_alive(self, worker: str) -> None:
        """It may have new sessions. Those that moved stay where they are."""
        with self._lock:
            self._members.revive(worker)

    def set_workers(self, workers: Iterable[str], weights: Mapping[str, float] | None = None) -> None:
        """A new membership. Only sessions of workers that left have to move. Raises ConfigurationError."""
        with self._lock:
            before = set(self._members.workers)
            self._members.replace(workers, weights)
            for worker in before - set(self._members.workers):
                self._turns.dismiss(worker)

    def loads(self) -> dict[str, int]:
        """How many sessions of this process each worker has; dead ones keep theirs until these call again."""
        with self._lock:
            self._seats.sweep(self._clock())
            return {**dict.fromkeys(self._members.workers, 0), **self._seats.loads}

    def try_turn(self, session: str, assignment: Assignment, waiter: Waiter) -> Assignment | None:
        """For leases: where the call may start now, or None when it stands in the queue or must ask anew."""
        with self._lock:
            worker = self._members.workers.get(assignment.worker)
            if worker is None or (worker.dead and worker.probed_at is None):
                waiter.wake()
                return None
            if self._turns.take(worker.name):
                return assignment
            if self.mode is AffinityMode.STRICT_FAIL_FAST:
                raise WorkerBusy(worker.name)
            if self.mode is AffinityMode.HINT:
                for other in self._members.ranking(session):
                    if not other.dead and self._turns.take(other.name):
                        return Assignment(other.name, Placement.BUSY, assignment.moved_from)
            self._turns.wait(waiter)
            return None

    def stop_waiting(self, waiter: Waiter) -> bool:
        """For leases: True when the turn had come after all, and is now held."""
        with self._lock:
            if not waiter.granted:
                self._turns.stop_waiting(waiter)
            return waiter.granted

    def give_turn_back(self, worker: str, *, well: bool) -> None:
        """For leases: the call ended. One that went well proves a worker under probe."""
        with self._lock:
            self._turns.give_back(worker)
            known = self._members.workers.get(worker)
            if well and known is not None and known.probed_at is not None:
                known.revive()

    def _reseat(self, session: str, seat: Seat | None, now: float) -> Seat:
        members = self._members
        if seat is not None and seat.life == members.life(seat.assignment.worker):
            seat.epoch = members.epoch  # others died, or came
            return seat
        gone = None if seat is None else seat.assignment.worker
        worker, placement = self._place(session, gone, now)
        fresh = Seat(Assignment(worker.name, placement), worker.life, members.epoch)
        if gone is not None:
            fresh.news = fresh.assignment._replace(moved_from=gone)
        self._seats.take(session, fresh, now)
        if gone is not None and self.mode is not AffinityMode.HINT:
            raise SessionWorkerUnavailable(gone)
        return fresh

    def _place(self, session: str, gone: str | None, now: float) -> tuple[Worker, Placement]:
        """A seat for a session that has none, or had it at a worker that is `gone`."""
        ranking = self._members.ranking(session)
        open_ones = [worker for worker in ranking if worker.admits(now)]
        if not open_ones:
            raise SessionWorkerUnavailable(None)
        self._seats.sweep(now)
        chosen = self._first_with_room(open_ones, len(self._seats) + (gone is None))
        if chosen.dead:
            chosen.probed_at = now
        if gone is not None or (chosen is open_ones[0] and chosen is not ranking[0]):
            return chosen, Placement.FAILOVER
        if chosen is not ranking[0]:
            return chosen, Placement.OVERFLOW
        return chosen, Placement.PROBE if chosen.dead else Placement.HOME

    def _first_with_room(self, workers: list[Worker], sessions: int) -> Worker:
        """The caps add up to more than there are sessions, so somebody has room."""
        if self._load_factor == math.inf:
            return workers[0]
        a_part = self._load_factor * sessions / sum(worker.weight for worker in workers)
        loads = self._seats.loads
        roomy = (worker for worker in workers if loads.get(worker.name, 0) < math.ceil(a_part * worker.weight))
        return next(roomy, workers[0])

    def _tell(self, session: str, seat: Seat, news: Assignment) -> None:
        if self._on_move is None:
            return
        try:
            self._on_move(session)
        except BaseException:
            with self._lock:
                if self._seats.peek(session) is seat:
                    seat.news = news
            raise


def _mode(mode: str) -> AffinityMode:
    try:
        return AffinityMode(mode)
    except ValueError:
        raise ConfigurationError(f"mode is {mode!r}, not one of {', '.join(AffinityMode)}") from None


def _load_factor(factor: float | None, mode: AffinityMode) -> float:
    if factor is None:
        return LOAD_FACTOR if mode is AffinityMode.HINT else math.inf
    if not factor >= 1:
        raise ConfigurationError(f"load_factor is {factor!r}, not a number from 1")
    return factor


def _check_sizes(idle_seconds: float, capacity: int | None, max_sessions: int) -> None:
    for name, value in (("idle_seconds", idle_seconds), ("capacity", capacity), ("max_sessions", max_sessions)):
        whole = name != "idle_seconds"
        if value is not None and not (value > 0 and (isinstance(value, int) or not whole)):
            raise ConfigurationError(f"{name} is {value!r}, not a positive {'whole ' if whole else ''}number")
