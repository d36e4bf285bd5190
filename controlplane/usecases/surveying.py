"""Surveying: what looks at many flags need, read in a few queries instead of some for each flag.

A survey answers as a unit of work would, from what it has read; what it has not read it asks the database for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from controlplane.domain.arm import Arm
from controlplane.domain.flag import Flag
from controlplane.domain.retention import Grain
from controlplane.store import Store
from controlplane.store.examples import Noise
from controlplane.store.reports import Place
from controlplane.store.watches import Watch

Cells = list[tuple[Place, Arm]]


class KnownWatches(Protocol):
    def get(self, environment_id: int, flag: str) -> Watch | None: ...


class KnownInstances(Protocol):
    def number(self, environment_id: int) -> int: ...


class KnownBuckets(Protocol):
    def between(self, environment_id: int, flag: str, first: int, until: int) -> Cells: ...
    def seen(self, environment_id: int, flag: str, first: int, until: int, grain: Grain) -> Cells: ...


class KnownExamples(Protocol):
    def noise(self, environment_id: int, flag: str) -> Iterable[Noise]: ...


class Reads(Protocol):
    """What a look reads: a unit of work has it, and so has a survey."""

    @property
    def watches(self) -> KnownWatches: ...
    @property
    def instances(self) -> KnownInstances: ...
    @property
    def buckets(self) -> KnownBuckets: ...
    @property
    def examples(self) -> KnownExamples: ...


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

    @property
    def examples(self) -> "Survey":
        return self

    def noise(self, environment_id: int, flag: str) -> list[Noise]:
        """Of the few flags that are shadowed, so it is asked for when it is needed."""
        with self.store.reading() as uow:
            return uow.examples.noise(environment_id, flag)

    def get(self, _environment_id: int, flag: str) -> Watch | None:
        return self.found.get(flag)

    def number(self, _environment_id: int) -> int:
        return self.processes

    def between(self, environment_id: int, flag: str, first: int, until: int) -> Cells:
        if first < self.first or until > self.until:
            with self.store.reading() as uow:
                return uow.buckets.between(environment_id, flag, first, until)
        return [cell for cell in self.cells.get(flag, ()) if first <= cell[0].start < until]

    def seen(self, environment_id: int, flag: str, first: int, until: int, grain: Grain) -> Cells:
        with self.store.reading() as uow:
            return uow.buckets.seen(environment_id, flag, first, until, grain)


def is_current(watch: Watch | None, flag: Flag, until: int) -> bool:
    """Nothing was sealed since it was kept, and the flag is the same: a look would find what was found then."""
    return bool(
        watch and watch.judged_until >= until and (watch.attempt, watch.version) == (flag.rollout.attempt, flag.version)
    )


def survey(store: Store, environment_id: int, flags: Sequence[Flag], until: int, unpacked_from: int) -> Survey:
    """What judging these flags on the buckets before `until` needs; cells from `unpacked_from` on have rows.

    Cells are read as far back as most windows and all watches but the oldest reach.
    """
    with store.reading() as uow:
        found = uow.watches.named(environment_id, [flag.key for flag in flags])
        due = {
            flag.key: _judged_until(found, flag) for flag in flags if not is_current(found.get(flag.key), flag, until)
        }
        first = min([until - _USUAL_WINDOW, *(found[key].judged_until for key in due if key in found)])
        first = max(first, unpacked_from, until - _FURTHEST)
        cells = uow.buckets.unpacked(environment_id, due, first, until) if due else {}
        return Survey(store, found, uow.instances.number(environment_id), cells, first, until)


def _judged_until(found: Mapping[str, Watch], flag: Flag) -> int:
    """From which start on the cells of a flag may go into its evidence: all of them where an attempt opens."""
    kept = found.get(flag.key)
    return kept.judged_until if kept and kept.attempt == flag.rollout.attempt else 0


_USUAL_WINDOW = 60
_FURTHEST = 300  # one watch that lags behind must not cost the memory of many
