"""Examples: what counts cannot tell of routing. The newest mismatches and receipts, and dual writes that diverged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from controlplane.store.example_tables import divergences, mismatches, noise, receipts

KEPT = 100  # of each operation
SIDES = ("baseline_missing", "candidate_missing", "baseline_reconciled", "candidate_reconciled")
NOISE_PAUSE = timedelta(hours=1)  # a measurement of noise after such a pause is a new one


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Two answers to one call that differ. `paths` holds types, sizes and keyed hashes, never a value."""

    flag: str
    operation: str
    at: datetime
    instance: str
    key: str | None
    paths: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A write of which nobody knows whether it was done; `key` is a keyed hash."""

    flag: str
    operation: str
    at: datetime
    instance: str
    key: str | None
    side: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Divergence:
    """How many dual writes of an operation reached one side only, since ever, and which side missed or got them since.

    `writes` counts those, too, of which no side was told, as by an older SDK.
    """

    operation: str
    writes: int
    newest_at: datetime
    baseline_missing: int = 0
    candidate_missing: int = 0
    baseline_reconciled: int = 0
    candidate_reconciled: int = 0

    @property
    def unsided(self) -> int:
        return max(0, self.writes - self.baseline_missing - self.candidate_missing)

    @property
    def baseline_backlog(self) -> int:
        """Writes that the baseline's store may still miss: one of which no side was told counts for either."""
        return max(0, self.baseline_missing + self.unsided - self.baseline_reconciled)

    @property
    def candidate_backlog(self) -> int:
        return max(0, self.candidate_missing + self.unsided - self.candidate_reconciled)


@dataclass(frozen=True, slots=True)
class Noise:
    """How often the baseline differs from itself, by the last time somebody asked (mode `aa`)."""

    operation: str
    match: int
    mismatch: int
    newest_at: datetime

    @property
    def floor(self) -> float | None:
        pairs = self.match + self.mismatch
        return self.mismatch / pairs if pairs else None


class Examples:
    """The examples of all environments. Written by the one scheduler that folds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_mismatches(self, environment_id: int, new: Sequence[Mismatch]) -> None:
        self._add(mismatches, environment_id, new)

    def add_receipts(self, environment_id: int, new: Sequence[Receipt]) -> None:
        self._add(receipts, environment_id, new)

    def _add(self, table: Table, environment_id: int, new: Sequence[Mismatch] | Sequence[Receipt]) -> None:
        if not new:
            return
        rows = [{**asdict(each), "environment_id": environment_id} for each in new]
        self._connection.execute(insert(table), rows)
        for flag, operation in dict.fromkeys((each.flag, each.operation) for each in new):
            self._trim(table, environment_id, flag, operation)

    def _trim(self, table: Table, environment_id: int, flag: str, operation: str) -> None:
        columns, here = table.c, _at(table, environment_id, (flag, operation))
        oldest = select(columns.id).where(*here).order_by(columns.id.desc()).offset(KEPT).limit(1)
        surplus = self._connection.execute(oldest).scalar_one_or_none()
        if surplus is not None:
            self._connection.execute(delete(table).where(*here, columns.id <= surplus))

    def newest_mismatches(self, environment_id: int, flag: str, operation: str | None, limit: int) -> list[Mismatch]:
        """Of one operation, or of all."""
        names = ("flag", "operation", "at", "instance", "key", "paths")
        rows = self._newest(mismatches, environment_id, flag, operation, limit)
        return [Mismatch(**{name: getattr(row, name) for name in names}) for row in rows]

    def newest_receipts(self, environment_id: int, flag: str, operation: str | None, limit: int) -> list[Receipt]:
        names = ("flag", "operation", "at", "instance", "key", "side", "idempotency_key")
        rows = self._newest(receipts, environment_id, flag, operation, limit)
        return [Receipt(**{name: getattr(row, name) for name in names}) for row in rows]

    def _newest(self, table: Table, environment_id: int, flag: str, operation: str | None, limit: int) -> Iterable[Any]:
        query = select(table).where(table.c.environment_id == environment_id, table.c.flag == flag)
        if operation is not None:
            query = query.where(table.c.operation == operation)
        return self._connection.execute(query.order_by(table.c.id.desc()).limit(limit))

    def add_divergences(
        self, environment_id: int, counts: Mapping[tuple[str, str], Mapping[str, int]], now: datetime
    ) -> None:
        """(flag, operation) → how many more, by column: `writes`, and those of `SIDES` that were told."""
        for place, more in counts.items():
            self._raise(divergences, environment_id, place, {"writes": 0, **more}, now)

    def divergences(self, environment_id: int, flag: str) -> list[Divergence]:
        rows = self._counted(divergences, environment_id, flag)
        return [
            Divergence(row.operation, row.writes, row.newest_at, *(getattr(row, name) for name in SIDES))
            for row in rows
        ]

    def add_noise(self, environment_id: int, place: tuple[str, str], seen: tuple[int, int], now: datetime) -> None:
        """`seen` is (match, mismatch) of one operation; what is older than a measurement's pause gives way to it."""
        old = noise.c.newest_at < now - NOISE_PAUSE
        self._connection.execute(delete(noise).where(*_at(noise, environment_id, place), old))
        self._raise(noise, environment_id, place, {"match": seen[0], "mismatch": seen[1]}, now)

    def noise(self, environment_id: int, flag: str) -> list[Noise]:
        rows = self._counted(noise, environment_id, flag)
        return [Noise(row.operation, row.match, row.mismatch, row.newest_at) for row in rows]

    def _counted(self, table: Table, environment_id: int, flag: str) -> Iterable[Any]:
        query = select(table).where(table.c.environment_id == environment_id, table.c.flag == flag)
        return self._connection.execute(query.order_by(table.c.operation))

    def _raise(
        self, table: Table, environment_id: int, place: tuple[str, str], counts: Mapping[str, int], now: datetime
    ) -> None:
        higher = {name: table.c[name] + count for name, count in counts.items()}
        raised = update(table).where(*_at(table, environment_id, place)).values(**higher, newest_at=now)
        if not self._connection.execute(raised).rowcount:
            named = {"environment_id": environment_id, "flag": place[0], "operation": place[1]}
            self._connection.execute(insert(table).values(**named, **counts, newest_at=now))

    def forget_before(self, instant: datetime) -> None:
        """Examples only: how often writes diverged stays known."""
        for table in (mismatches, receipts):
            self._connection.execute(delete(table).where(table.c.at < instant))


def _at(table: Table, environment_id: int, place: tuple[str, str]) -> tuple[Any, ...]:
    columns = table.c
    return columns.environment_id == environment_id, columns.flag == place[0], columns.operation == place[1]
