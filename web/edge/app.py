"""Which door does a request go to? What services ask is answered here; everything else is passed on."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from web.edge.brain import Brain
from web.edge.commits import GroupCommit
from web.edge.cross_origin import CrossOrigin
from web.edge.doors import Doors, listening, posting, reading
from web.edge.flag_sets import FlagSets
from web.edge.flagd_rpc import SERVICES, FlagdRpc
from web.edge.http import Answer, Application, Receive, Scope, Send, json_answer, problem, reply
from web.edge.metrics import MetricsDoor
from web.edge.notices import Notices
from web.edge.ofrep import ALL, EVENTS, Ofrep
from web.edge.polls import PollBook
from web.edge.reports import ReportDoor
from web.edge.snapshots import Snapshot, accepts_gzip
from web.edge.stream import Stream
from web.edge.tickets import Tickets
from web.edge.tokens import TokenTable, Visitor
from web.edge.waiting import Waiter, WaitingRoom
from web.edge.watcher import Watcher

LONGEST_WAIT = 60.0  # seconds of `Prefer: wait`
BOOKS_SECONDS = 60.0
GRACE = 5.0  # seconds
NOTE_EVERY = 15.0  # half of what makes a process silent, so that one that only polls is not called silent
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))

_log = logging.getLogger(__name__)


class Edge:
    """The ASGI application of one process. `site` answers what services do not ask.

    `look_every` and `note_every` are in seconds: how often it looks for changes, and writes down who polled. `origins`
    are those of pages that may ask by OFREP.
    """

    def __init__(
        self,
        brain: Brain,
        site: Application,
        look_every: float,
        note_every: float = NOTE_EVERY,
        origins: Collection[str] = (),
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._brain = brain
        self._site = site
        self._reader = ThreadPoolExecutor(1, "edge-reader")
        self._writer = ThreadPoolExecutor(1, "edge-writer")
        self._tokens = TokenTable(brain.clock)
        self._room = WaitingRoom()
        tickets = Tickets(brain.ticket_key, self._tokens, brain.clock)
        self._notices = Notices(tickets)
        audiences = (self._room, self._notices)
        self._watcher = Watcher(brain, self._tokens, audiences, self._reader, look_every)
        self._commits = GroupCommit(brain.record, self._writer)
        self._stream = Stream(brain, self._reader)
        self._polls = PollBook(brain, self._writer, note_every)
        self._reports = ReportDoor(self._commits, self.counts, self._watcher.catch_up)
        self._meter = ThreadPoolExecutor(1, "edge-metrics")
        self._metrics = MetricsDoor(brain.meter, self._meter, self.counts)
        self._flag_sets = FlagSets(brain, self._reader, self._watcher.snapshots, self.counts)
        ofrep = Ofrep(self._tokens, tickets, self._flag_sets, self._watcher.catch_up, self.counts)
        rpc = FlagdRpc(self._tokens, self._flag_sets, self.counts)
        self._doors = Doors(
            reading("/sdk/v1/snapshot", self._snapshot),
            posting("/sdk/v1/reports", self._report),
            posting("/v1/metrics", self._measure),
            reading("/flagd/v0/flags.json", self._definition),
            posting(ALL, ofrep.all),
            posting(f"{ALL}/<key>", ofrep.one),
            listening(EVENTS, self._notices.listen),
            *(posting(f"{service}/<method>", rpc.resolve) for service in SERVICES),
            reading("/healthz", self._alive),
            reading("/readyz", self._ready),
            listening("/environments/<environment>/stream", self._stream.listen),
        )
        self._pages = CrossOrigin(origins)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def doors(self) -> frozenset[str]:
        """What is answered here, as `METHOD address`."""
        return self._doors.names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._doors(scope["path"])
        if door:
            await self._pages.open(door, scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    async def open(self) -> None:
        """Load what is there and begin to watch."""
        await self._watcher.look_once()
        forever: tuple[Coroutine[Any, Any, None], ...] = (
            self._watcher.run(),
            self._room.sweep(),
            self._stream.run(),
            self._polls.run(),
            self._commits.run(),
            self._write_books(),
        )
        self._tasks = [asyncio.create_task(each) for each in forever]

    async def release(self) -> None:
        """Let the waiting clients go, so that stopping need not wait for them."""
        self._stream.close()
        self._notices.close()
        await self._room.close()

    async def close(self) -> None:
        """Make durable what was taken, and stop."""
        await self.release()
        watching, sweeping, streaming, noting, committing, writing_books = self._tasks
        self._commits.close()
        await committing
        others = (watching, sweeping, streaming, noting, writing_books)
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        await self._close_books()
        await self._end_looks()

    async def _end_looks(self) -> None:
        """What is under way ends before the store is closed under it; a database that hangs is not waited for long."""
        pools = (self._reader, self._writer, self._meter)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.wait([asyncio.create_task(asyncio.to_thread(pool.shutdown)) for pool in pools], timeout=GRACE)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._site(scope, receive, send)
        if scope["method"] not in SAFE:
            self._watcher.kick()

    async def _snapshot(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(headers.get(b"authorization"))
        snapshot = self._current(visitor)
        held = headers.get(b"if-none-match")
        caller = self._polls.heard(visitor.environment, headers, held)
        zipped = accepts_gzip(headers.get(b"accept-encoding"))
        if held is None or snapshot.is_newer_than(held):
            await reply(send, snapshot.answer(accepts_gzip=zipped), head=scope["method"] == "HEAD")
            return
        wait = _wait_of(headers.get(b"prefer"))
        if not wait or scope["method"] == "HEAD":
            await reply(send, snapshot.unchanged)
            return
        deadline = asyncio.get_running_loop().time() + wait
        waiter = Waiter(send, visitor.environment, visitor.token_hash, held, zipped, deadline, snapshot.unchanged)
        with self._polls.hanging(caller):
            await self._room.wait(waiter, receive)

    async def _definition(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(headers.get(b"authorization"))
        definition = (await self._flag_sets.current(visitor.environment)).definition
        if definition.is_newer_than(headers.get(b"if-none-match")):
            zipped = accepts_gzip(headers.get(b"accept-encoding"))
            await reply(send, definition.answer(accepts_gzip=zipped), head=scope["method"] == "HEAD")
        else:
            await reply(send, definition.unchanged)

    def _current(self, visitor: Visitor) -> Snapshot:
        snapshot = self._watcher.snapshots.get(visitor.environment)
        if snapshot is None:
            raise problem(503, "the snapshot has not been loaded yet", (b"retry-after", b"1"))
        return snapshot

    async def _report(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(headers.get(b"authorization"))
        await reply(send, await self._reports.take(visitor.environment, headers, receive))

    async def _measure(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        visitor = self._tokens.admit(headers.get(b"authorization"))
        await reply(send, await self._metrics.take(visitor.environment, headers, receive))

    async def _alive(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await reply(send, json_answer(200, {"status": "alive"}), head=scope["method"] == "HEAD")

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await reply(send, self._readiness(), head=scope["method"] == "HEAD")

    def _readiness(self) -> Answer:
        why_not = self._watcher.why_not_ready()
        if why_not:
            raise problem(503, why_not, (b"retry-after", b"1"))
        return json_answer(200, {"status": "ready"})

    async def _write_books(self) -> None:
        while True:
            await asyncio.sleep(BOOKS_SECONDS)
            await self._close_books()

    async def _close_books(self) -> None:
        """What could not be written is kept for the next time."""
        used, counts = set(self._tokens.used), Counter(self.counts)
        if not used and not counts:
            return
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._brain.keep_books, used, counts)
        await asyncio.wait({writing})
        error = writing.exception()
        if error:
            _log.error("the use of tokens could not be written down", exc_info=error)
            return
        self._tokens.used -= used
        self.counts -= counts


def _wait_of(prefer: bytes | None) -> float:
    """Seconds of `Prefer: wait=25` (RFC 7240), at most LONGEST_WAIT; 0 when it is absent or makes no sense."""
    for preference in (prefer or b"").split(b","):
        name, _, value = preference.split(b";")[0].partition(b"=")
        if name.strip().lower() == b"wait" and value.strip(b' "').isdigit():
            return min(float(value.strip(b' "')), LONGEST_WAIT)
    return 0.0
