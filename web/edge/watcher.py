"""What is new in the database? One task asks, off the event loop, loads what changed and wakes who waits for it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from controlplane.usecases.snapshots import Version
from web.edge.brain import Brain
from web.edge.http import Answer, problem
from web.edge.snapshots import Snapshot, snapshot_of
from web.edge.tokens import INVALID, TokenTable

SILENCE_SECONDS = 5.0  # a database that has not answered for so long is not usable
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Audience(Protocol):
    """Who waits for news."""

    async def publish(self, environment: str, snapshot: Snapshot) -> None: ...
    async def dismiss(self, is_valid: Callable[[str], bool], refusal: Answer) -> None: ...


class Watcher:
    """Keeps `snapshots` (by environment) and the token table true; `every` seconds, or at once when kicked."""

    def __init__(
        self, brain: Brain, tokens: TokenTable, audiences: Sequence[Audience], reader: Executor, every: float
    ) -> None:
        self.snapshots: dict[str, Snapshot] = {}
        self._brain = brain
        self._tokens = tokens
        self._audiences = audiences
        self._reader = reader
        self._every = every
        self._tokens_seen = -1
        self._looked_at: float | None = None
        self._trouble: str | None = None
        self._kicked = asyncio.Event()
        self._catching_up = asyncio.Lock()

    def kick(self) -> None:
        """Look at once: this process has just changed something."""
        self._kicked.set()

    def why_not_ready(self) -> str | None:
        """A sentence while services cannot be served from a usable database."""
        if self._looked_at is None:
            return "the snapshots have not been loaded yet"
        silent = asyncio.get_running_loop().time() - self._looked_at
        if self._trouble or silent > SILENCE_SECONDS:
            return f"the database has not answered for {silent:.0f} s: {self._trouble or 'no answer'}"
        return None

    async def catch_up(self, environment: str, source: str, version: int) -> None:
        """Whoever is told of a version here must also find it here, else the next poll brings the old one."""
        if not self._reaches(environment, source, version):
            async with self._catching_up:
                if not self._reaches(environment, source, version):
                    await self.look_once()

    def _reaches(self, environment: str, source: str, version: int) -> bool:
        snapshot = self.snapshots.get(environment)
        return snapshot is not None and snapshot.source == source and snapshot.version >= version

    async def run(self) -> None:
        """Forever."""
        while True:
            await self.look_once()
            pause = _RETRY_SECONDS if self._trouble else self._every
            try:
                await asyncio.wait_for(self._kicked.wait(), pause)
            except TimeoutError:
                continue
            finally:
                self._kicked.clear()

    async def look_once(self) -> None:
        """Whatever goes wrong is kept as the trouble that /readyz tells; what was loaded stays in force."""
        look = asyncio.ensure_future(self._look())
        await asyncio.wait({look})
        error = look.exception()
        if error is None:
            self._recovered()
        elif self._trouble is None:
            self._trouble = type(error).__name__
            _log.error("cannot read what is new; serving what was loaded", exc_info=error)

    def _recovered(self) -> None:
        if self._trouble:
            _log.warning("the database can be read again")
        self._trouble = None
        self._looked_at = asyncio.get_running_loop().time()

    async def _look(self) -> None:
        news = await self._off_loop(self._brain.news)
        if news.tokens != self._tokens_seen:  # first, so that no trouble with a snapshot can delay a revocation
            self._tokens.replace(await self._off_loop(self._brain.tokens))
            self._tokens_seen = news.tokens
            revoked = problem(401, "this token is not valid any more", INVALID).answer
            for each in self._audiences:
                await each.dismiss(self._tokens.is_valid, revoked)
        for version in news.versions:
            if not self._has(version):
                await self._load(version.environment)

    def _has(self, version: Version) -> bool:
        snapshot = self.snapshots.get(version.environment)
        return snapshot is not None and (snapshot.source, snapshot.version) == (version.source, version.version)

    async def _load(self, environment: str) -> None:
        snapshot = await self._off_loop(lambda: snapshot_of(self._brain.snapshot(environment)))
        self.snapshots[environment] = snapshot
        for each in self._audiences:
            await each.publish(environment, snapshot)

    async def _off_loop(self, question: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, question)
