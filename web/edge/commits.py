"""How do many reports become durable at once? All that wait share one transaction, and one thread writes."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from controlplane.usecases.telemetry import Incoming
from web.edge.brain import Newest

AT_ONCE = 256  # reports in a transaction
MOST_WAITING = 4_096  # more would wait longer than services do

_log = logging.getLogger(__name__)


class NotDurable(Exception):
    """The report was not recorded; sending it again later is safe."""


class GroupCommit:
    """A bounded queue in front of the writer thread."""

    def __init__(self, record: Callable[[Sequence[Incoming]], Newest], writer: Executor) -> None:
        self._record = record
        self._writer = writer
        self._waiting: deque[tuple[Incoming, asyncio.Future[tuple[str, int]]]] = deque()
        self._arrived = asyncio.Event()
        self._closed = False

    async def add(self, report: Incoming) -> tuple[str, int]:
        """The (source, version) in force, once the report is durable. Raises NotDurable."""
        if self._closed or len(self._waiting) >= MOST_WAITING:
            raise NotDurable
        recorded: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((report, recorded))
        self._arrived.set()
        return await recorded

    async def run(self) -> None:
        """Until closed and empty."""
        while self._waiting or not self._closed:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await self._commit([self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))])

    def close(self) -> None:
        """Take no more; `run` ends when everything taken is durable."""
        self._closed = True
        self._arrived.set()

    async def _commit(self, batch: list[tuple[Incoming, asyncio.Future[tuple[str, int]]]]) -> None:
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._writer, self._record, [report for report, _ in batch])
        await asyncio.wait({writing})
        error = writing.exception()
        if error:
            _log.error("%d reports could not be recorded; their services send them again", len(batch), exc_info=error)
        for report, recorded in batch:
            if recorded.done():  # its client is gone
                continue
            if error:
                recorded.set_exception(NotDurable())
            else:
                recorded.set_result(writing.result()[report.environment])
