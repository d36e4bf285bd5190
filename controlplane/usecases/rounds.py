"""Rounds: one environment, gone through once: which flags are looked at, and what their looks need."""

from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.clock import Clock
from controlplane.domain.calendar import ALWAYS_OPEN, Calendar, Freeze
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.environments import Environment
from controlplane.store.lease import Lease
from controlplane.usecases.buckets import sealed_until
from controlplane.usecases.hearing import Heard, hear
from controlplane.usecases.retention import CLOSED_AFTER
from controlplane.usecases.surveying import Survey, survey

AT_ONCE = 50  # flags that are read, and kept, at once


@dataclass(frozen=True, slots=True)
class Round:
    """One environment, once through."""

    store: Store
    environment: Environment
    clockwork: Clockwork
    lease: Lease
    freezes: tuple[Freeze, ...] = ()
    heard: Heard = Heard()

    def calendar(self, flag: Flag) -> Calendar:
        """When the rollout of a flag may move on."""
        windows = flag.plan.windows if flag.plan else ()
        return Calendar(windows, self.freezes) if windows or self.freezes else ALWAYS_OPEN


def rounds(store: Store, clock: Clock, clockwork: Clockwork, lease: Lease) -> list[Round]:
    with store.reading() as uow:
        return [
            Round(store, each, clockwork, lease, uow.freezes.all(each.id), hear(uow, each.id, clock()))
            for each in uow.environments.all()
        ]


def _watched(round_: Round) -> list[Flag]:
    with round_.store.reading() as uow:
        flags = uow.flags.all(round_.environment.id)
    return [flag for flag in flags if _is_watched(flag)]


def surveyed(round_: Round, clock: Clock) -> Iterator[tuple[Flag, Survey]]:
    """Some flags are read at once, so that neither the queries are many nor the memory is large."""
    flags = _watched(round_)
    for first in range(0, len(flags), AT_ONCE):
        some = flags[first : first + AT_ONCE]
        now = clock()
        unpacked_from = int(now.timestamp()) - CLOSED_AFTER
        seen = survey(round_.store, round_.environment.id, some, sealed_until(now, round_.clockwork), unpacked_from)
        yield from ((flag, seen) for flag in some)


def _is_watched(flag: Flag) -> bool:
    under_way = flag.rollout.is_live or flag.rollout.state is State.SCHEDULED
    return under_way or bool(flag.guardrails and flag.exposed_operations)
