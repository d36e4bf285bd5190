"""Who polls, and what does it hold? A poll costs a look into a dictionary; what is gathered is written now and then."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import datetime

from controlplane.usecases.polls import Poll
from web.edge.brain import Brain

MOST = 10_000  # processes between two writes; more are not told apart from an attack on the memory
_WORD = re.compile(rb"[\x20-\x7e]{1,100}")
_LONG_WORD = re.compile(rb"[\x20-\x7e]{0,200}")
_TAG = re.compile(r'(?:W/)?"([^".]{1,32})\.(\d{1,18})"')

_log = logging.getLogger(__name__)
Caller = tuple[str, bytes]  # environment and instance
_Told = tuple[bytes, bytes, bytes, datetime]  # service, agent, If-None-Match, when


class PollBook:
    """The last poll of each process since the last write; `every` is in seconds."""

    def __init__(self, brain: Brain, writer: Executor, every: float) -> None:
        self._brain = brain
        self._writer = writer
        self._every = every
        self._told: dict[Caller, _Told] = {}
        self._hanging: Counter[Caller] = Counter()
        self._last: dict[Caller, _Told] = {}  # of those that hang: they are heard of for as long as they do

    def heard(self, environment: str, headers: Mapping[bytes, bytes], held: bytes | None) -> Caller | None:
        """Who polls; None where it does not say."""
        instance = headers.get(b"throwbar-instance")
        if not instance or (len(self._told) >= MOST and (environment, instance) not in self._told):
            return None
        caller = (environment, instance)
        service, agent = headers.get(b"throwbar-service", b""), headers.get(b"user-agent", b"")
        self._told[caller] = (service, agent, held or b"", self._brain.clock())
        return caller

    @contextmanager
    def hanging(self, caller: Caller | None) -> Iterator[None]:
        """It waits for news, and lives meanwhile."""
        if caller is None:
            yield
            return
        self._hanging[caller] += 1
        self._last[caller] = self._told[caller]
        try:
            yield
        finally:
            self._hanging[caller] -= 1
            if not self._hanging[caller]:
                del self._hanging[caller], self._last[caller]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._write()

    async def _write(self) -> None:
        """What cannot be written is told again by the next poll."""
        now = self._brain.clock()
        told = self._told | {caller: (*last[:3], now) for caller, last in self._last.items()}
        self._told = {}
        polls = [poll for caller, each in told.items() if (poll := _poll(caller, each))]
        if not polls:
            return
        writing = asyncio.get_running_loop().run_in_executor(self._writer, self._brain.note_polls, polls)
        await asyncio.wait({writing})
        if error := writing.exception():
            _log.error("who polled could not be written down", exc_info=error)


def _poll(caller: Caller, told: _Told) -> Poll | None:
    """None where it says what cannot be kept."""
    environment, instance = caller
    service, agent, held, at = told
    if not _WORD.fullmatch(instance) or not _LONG_WORD.fullmatch(service):
        return None
    tag = _TAG.fullmatch(held.decode("latin-1").strip())
    source, version = (tag[1], int(tag[2])) if tag else ("", 0)
    sdk = agent.decode("latin-1")[:100] if _LONG_WORD.fullmatch(agent) else ""
    return Poll(environment, instance.decode(), service.decode(), sdk, source, version, at)
