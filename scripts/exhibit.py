"""What does a control plane look like after weeks of work? A demo and its neighbours, lived by jumps of the clock.

Everything goes through the server's own use cases and its own tick, with reports as services send them: what the pages
show was decided, not drawn. Only telemetry from before the last hour is put down at the grain it would have by now.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.access import Role
from controlplane.domain.audit import Actor, ActorKind
from controlplane.domain.flag import Flag, Side, effective_share
from controlplane.domain.histogram import index_of
from controlplane.domain.observation import Arm
from controlplane.domain.retention import Grain
from controlplane.domain.share import FULL, from_percent
from controlplane.domain.snapshot import Clockwork
from controlplane.store import Store
from controlplane.store.audit import Filter
from controlplane.store.cells import Place as Cell
from controlplane.usecases import flags, people
from controlplane.usecases.changing import Cause, Place
from controlplane.usecases.leading import lead, step_down
from controlplane.usecases.telemetry import Incoming, record_reports
from controlplane.usecases.ticking import tick

ENVIRONMENT = "production"
ANN, BEN = "ann@example.org", "ben@example.org"
DAY, BUCKET = 86_400, 10
MANY = 3_000  # calls: more of them are not drawn one by one
FINE = timedelta(minutes=75)  # before now, in which every bucket is lived


@dataclass(frozen=True)
class Traffic:
    """An operation as services live it: calls a second, usual milliseconds of both sides, the part that fails."""

    rate: float
    baseline_ms: float
    candidate_ms: float
    failing: float = 0.002


@dataclass(frozen=True)
class Migration:
    """One flag, the processes that report it, and what people did to it: (time ago, deed)."""

    key: str
    document: dict[str, Any]
    traffic: dict[str, Traffic]
    deeds: tuple[tuple[timedelta, Callable[["Past", Place], object]], ...]
    processes: int = 3
    goes_bad: timedelta | None = None  # before now
    badly: float = 0.12


@dataclass
class Past:
    """A store that is brought from some weeks ago to `until`."""

    store: Store
    until: datetime
    migrations: tuple[Migration, ...]
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - traffic, no secrets
    now: datetime = field(init=False)
    _sequence: int = 0
    _versions: dict[str, int] = field(default_factory=dict)

    def live(self) -> None:
        """From four weeks ago until now: in hours, then bucket by bucket."""
        begin = self.until - timedelta(days=28)
        self.now = begin
        for email, role in ((ANN, Role.ADMIN), (BEN, Role.OPERATOR)):
            people.add_person(self.store, email, role, self.cause(ANN))
        deeds = sorted(self._deeds(), key=lambda each: each[0])
        for at in self._instants(begin):
            while deeds and deeds[0][0] <= at:
                self.now, deed = deeds.pop(0)
                deed()
            self.now = at
            self._report(at)
            self._tick()
        self._fill(begin)

    def cause(self, who: str, why: str = "") -> Cause:
        return Cause(Actor(ActorKind.PERSON, who), self.now, why)

    def _deeds(self) -> Iterator[tuple[datetime, Callable[[], object]]]:
        for each in self.migrations:
            place = Place(ENVIRONMENT, each.key)
            made = {"key": each.key, **each.document}
            yield (
                self.until - timedelta(days=27, hours=len(each.key)),
                lambda made=made: flags.create_flag(self.store, ENVIRONMENT, made, self.cause(ANN)),  # type: ignore[misc]
            )
            for ago, deed in each.deeds:
                yield self.until - ago, lambda deed=deed, place=place: deed(self, place)  # type: ignore[misc]

    def _instants(self, begin: datetime) -> Iterator[datetime]:
        at = begin
        while at < self.until - FINE:
            yield at
            at += timedelta(hours=2)
        at = self.until - FINE
        while at <= self.until:
            yield at
            at += timedelta(seconds=BUCKET)

    def _tick(self) -> None:
        lease = lead(self.store, "exhibit", self.now, timedelta(hours=3))
        assert lease
        tick(self.store, lambda: self.now, Clockwork(), lease)
        step_down(self.store, lease, self.now)

    def _report(self, at: datetime) -> None:
        """What every process saw in the newest bucket that is over."""
        start = int(at.timestamp()) // BUCKET * BUCKET - BUCKET
        known = {flag.key: flag for flag in flags.list_flags(self.store, ENVIRONMENT)}
        batch = []
        for each in self.migrations:
            flag = known.get(each.key)
            for number in range(each.processes if flag else 0):
                cells = [
                    _reported(cell, arm)
                    for cell, arm in self._cells(each, flag, start, self._seconds(at) / each.processes)
                ]
                batch.append(self._incoming(f"{each.key}-{number + 1}", f"{each.key}-api", cells))
        newest = record_reports(self.store, batch, at)
        self._versions = dict(newest.values())

    def _seconds(self, at: datetime) -> float:
        """A jump of hours is told by one bucket; enough is counted in it for a stage to be left."""
        return BUCKET if at >= self.until - FINE else 1_200

    def _incoming(self, instance: str, service: str, cells: list[dict[str, Any]]) -> Incoming:
        self._sequence += 1
        source, version = next(iter(self._versions.items()), ("", 0))
        head = {"instance": instance, "service": service, "sdk": "throwbar-python/0.1.0", "source": source}
        body = {"schema": 1, **head, "version": version, "sequence": self._sequence, "sent_at": 0, "cells": cells}
        return Incoming(
            ENVIRONMENT, instance, service, head["sdk"], self._sequence, source, version, json.dumps(body).encode()
        )

    def _cells(self, each: Migration, flag: Flag | None, start: int, seconds: float) -> Iterator[tuple[Cell, Arm]]:
        if flag is None:
            return
        for name, traffic in each.traffic.items():
            calls = max(0, round(self.dice.gauss(traffic.rate * seconds, (traffic.rate * seconds) ** 0.5)))
            share = effective_share(flag, name) if name in flag.operations else 0
            ours = (
                sum(self.dice.random() < share / FULL for _ in range(calls)) if calls < 3_000 else calls * share // FULL
            )
            for side, number in ((Side.BASELINE, calls - ours), (Side.CANDIDATE, ours)):
                if number:
                    backend = flag.baseline if side is Side.BASELINE else flag.candidate
                    cell = Cell(flag.key, start, name, flag.rollout.attempt, side, backend, "share", share)
                    yield cell, self._arm(each, traffic, side, number, start)

    def _arm(self, each: Migration, traffic: Traffic, side: Side, calls: int, start: int) -> Arm:
        bad_since = self.until - each.goes_bad if each.goes_bad else None
        is_bad = side is Side.CANDIDATE and bad_since is not None and start >= bad_since.timestamp()
        rate = each.badly if is_bad else traffic.failing
        bad = self._drawn(calls, rate)
        usual = traffic.baseline_ms if side is Side.BASELINE else traffic.candidate_ms
        drawn = min(calls, 400)
        latency = Counter(index_of(usual * self.dice.lognormvariate(0, 0.45)) for _ in range(drawn))
        times = calls / drawn
        spread = {index: max(1, round(n * times)) for index, n in sorted(latency.items())}
        fresh = self._quarter(spread)
        errors = {"exception": bad} if bad else {}
        return Arm(
            calls=calls,
            bad=bad,
            errors=errors,
            latency=spread,
            keys=calls,
            bad_keys=bad,
            key_latency=spread,
            rise_to=fresh,
        )

    def _drawn(self, number: int, chance: float) -> int:
        return sum(self.dice.random() < chance for _ in range(number)) if number < MANY else round(number * chance)

    def _quarter(self, spread: dict[int, int]) -> dict[int, int]:
        """One key of four is seen for the first time, and is drawn as fairly as its call was."""
        drawn = {index: self._drawn(n, 0.25) for index, n in spread.items()}
        return {index: n for index, n in drawn.items() if n}

    def _fill(self, begin: datetime) -> None:
        """The charts of days and weeks: what nobody judges any more, at the grain that it is kept at."""
        for grain, since in ((Grain.HOUR, timedelta(days=28)), (Grain.MINUTE, timedelta(hours=30))):
            step = grain.seconds if grain is Grain.HOUR else 300
            first = max(int(begin.timestamp()), int((self.until - since).timestamp())) // step * step
            for each in self.migrations:
                with self.store.writing() as uow:
                    row = uow.environments.get(ENVIRONMENT)
                    history = self._shares_over_time(each)
                    cells = [
                        cell
                        for at in range(first, int((self.until - FINE).timestamp()) // step * step, step)
                        for cell in self._cells(each, history(at), at, step)
                    ]
                    uow.packs.add(row.id, grain, cells)
                    uow.commit()

    def _shares_over_time(self, each: Migration) -> Callable[[int], Flag | None]:
        """The flag as it stood at an instant, by its versions in the audit log."""
        place = Place(ENVIRONMENT, each.key)
        newest = flags.get_flag(self.store, place)
        entries = flags_over_time(self.store, place)
        return lambda at: next((flag for since, flag in reversed(entries) if since <= at), None) or newest


def flags_over_time(store: Store, place: Place) -> list[tuple[float, Flag]]:
    """Since when, and with which shares."""
    with store.reading() as uow:
        row = uow.environments.get(place.environment)
        entries = list(reversed(uow.audit.newest(row.id, Filter(flag=place.flag), 500)))
        newest = uow.flags.get(row.id, place.flag)
    shares = dict.fromkeys(newest.operations, 0)
    found = []
    for entry in entries:
        for change in entry.changes:
            parts = change.path.split(".")
            if parts[0] == "operations" and parts[-1] == "percent" and change.after is not None:
                shares[parts[1]] = from_percent(change.after)
        operations = {n: replace(o, share=shares[n], rolled_back=False) for n, o in newest.operations.items()}
        found.append((entry.at.timestamp(), replace(newest, enabled=True, rolled_back=False, operations=operations)))
    return found


def _reported(cell: Cell, arm: Arm) -> dict[str, Any]:
    return {
        "flag": cell.flag, "operation": cell.operation, "side": cell.side.value, "backend": cell.backend,
        "attempt": cell.attempt, "assigned_by": cell.assigned_by, "share": cell.share, "start": cell.start,
        "calls": arm.calls, "ok": arm.calls - arm.bad, "errors": dict(arm.errors), "pending": 0,
        "latency": dict(arm.latency), "keys": arm.keys, "bad_keys": arm.bad_keys,
        "key_latency": dict(arm.key_latency), "key_rise": {"from": {}, "to": dict(arm.rise_to)},
    }  # fmt: skip
