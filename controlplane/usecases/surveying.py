"""Surveying: what looks at many flags need, read in a few queries instead of some for each flag.

A survey answers as a unit of work would, from what it has read; what it has not read it asks the database for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.domain.flag import Flag
from controlplane.domain.observation import Arm
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.reports import Place
from controlplane.store.watches import Watch

Cells = list[tuple[Place, Arm]]


class KnownWatches(Protocol):
    def get(self, environment_id: int, flag: str) -> Watch | None: ...


class KnownInstances(Protocol):
    def number(self, environment_id: int) -> int: ...


class KnownBuckets(Protocol):
    def between(self, environment_id: int, flag: str, first: int, until: int) -> Cells: ...


class Reads(Protocol):
    """What a look reads: a unit of work has it, and so has a survey."""

    @property
    def watches(self) -> KnownWatches: ...
    @property
    def instances(self) -> KnownInstances: ...
    @property
    def buckets(self) -> KnownBuckets: ...


@dataclass(frozen=True, slots=True)
class Survey:
    """Flags of one environment as they were at one moment; `first` and `until` bound the cells that were read."""

    store: Store
    found: Mapping[str, Watch]
    processes: int
    cells: Mapping[str, Cells]
    first: int
    until: int

    @property
    def watches(self) -> "Survey":
        return self

    @property
    def instances(self) -> "Survey":
        return self

    @property
    def buckets(self) -> "Survey":
        return self

    def get(self, _environment_id: int, flag: str) -> Watch | None:
        return self.found.get(flag)

    def number(self, _environment_id: int) -> int:
        return self.processes

    def between(self, environment_id: int, flag: str, first: int, until: int) -> Cells:
        if first < self.first or until > self.until:
            with self.store.reading() as uow:
                return uow.buckets.between(environment_id, flag, first, until)
        return [cell for cell in self.cells.get(flag, ()) if first <= cell[0].start < until]


def survey(store: Store, environment_id: int, flags: Sequence[Flag], until: int, clockwork: Clockwork) -> Survey:
    """What judging these flags on the buckets before `until` needs.

    Cells are read as far back as most windows and most watches reach, and no further than where cells may be packed.
    """
    keys = [flag.key for flag in flags]
    with store.reading() as uow:
        found = uow.watches.named(environment_id, keys)
        first = min([until - _USUAL_WINDOW, *(watch.judged_until for watch in found.values())])
        first = max(first, until - clockwork.bucket_seconds - _FURTHEST)
        cells = uow.buckets.unpacked(environment_id, keys, first, until)
        return Survey(store, found, uow.instances.number(environment_id), cells, first, until)


_USUAL_WINDOW = 60
_FURTHEST = 300  # well within the twelve minutes after which cells are packed
