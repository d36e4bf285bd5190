"""Which flag set is in force, ready to be sent and evaluated? Made once for each version, and only where one is asked
for: who has services of one make pays nothing for the others.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from controlplane.domain.flag_set import FlagSet
from controlplane.evaluator import Evaluator
from web.edge.brain import Brain
from web.edge.http import problem
from web.edge.snapshots import Snapshot, ready_made

RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A flag set with its answers ready-made, and what evaluates it."""

    definition: Snapshot
    evaluator: Evaluator

    def reaches(self, snapshot: Snapshot) -> bool:
        return self.definition.source == snapshot.source and self.definition.version >= snapshot.version


class FlagSets:
    """By environment, as new as `snapshots`, which somebody else keeps true. `counts` hears of what was left out."""

    def __init__(self, brain: Brain, reader: Executor, snapshots: Mapping[str, Snapshot], counts: Counter[str]) -> None:
        self._brain = brain
        self._reader = reader
        self._snapshots = snapshots
        self._counts = counts
        self._loaded: dict[str, Loaded] = {}
        self._loading = asyncio.Lock()
        self._retry_at = 0.0

    async def current(self, environment: str) -> Loaded:
        """Where a newer one cannot be loaded, the last stays in force. Raises Problem 503 where there is none."""
        found = self._in_force(environment)
        if found is None:
            async with self._loading:
                found = self._in_force(environment) or await self._load(environment)
        if found is None:
            raise problem(503, "the flags have not been loaded yet", (b"retry-after", b"1"))
        return found

    def _in_force(self, environment: str) -> Loaded | None:
        """None where one has to be loaded first, which after a failure is not tried again at once."""
        snapshot, held = self._snapshots.get(environment), self._loaded.get(environment)
        if held and (snapshot is None or held.reaches(snapshot) or self._is_resting()):
            return held
        return None

    def _is_resting(self) -> bool:
        return asyncio.get_running_loop().time() < self._retry_at

    async def _load(self, environment: str) -> Loaded | None:
        if environment not in self._snapshots or self._is_resting():
            return None
        loading = asyncio.get_running_loop().run_in_executor(self._reader, self._make, environment)
        await asyncio.wait({loading})
        if error := loading.exception():
            self._retry_at = asyncio.get_running_loop().time() + RETRY_SECONDS
            _log.error("the flag set of %s could not be loaded", environment, exc_info=error)
            return self._loaded.get(environment)
        flag_set, made = loading.result()
        self._say_what_is_missing(flag_set)
        self._loaded[environment] = made
        return made

    def _make(self, environment: str) -> tuple[FlagSet, Loaded]:
        """Milliseconds for hundreds of flags, so not on the event loop."""
        flag_set = self._brain.flag_set(environment)
        ready = ready_made(flag_set.document, flag_set.source, flag_set.version)
        return flag_set, Loaded(ready, Evaluator(flag_set))

    def _say_what_is_missing(self, flag_set: FlagSet) -> None:
        for key, fault in flag_set.left_out.items():
            self._counts["flag_sets:left_out"] += 1
            _log.error("flag %s of %s is left out of the flag set: %s", key, flag_set.environment, fault)
