"""Checkpoints: the evidence of an attempt at one instant, so that it can be recomputed from there on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from controlplane.documents.watching import evidence_document, ledger_document, parse_evidence, parse_ledger
from controlplane.domain.ledger import Ledger
from controlplane.domain.observation import Evidence
from controlplane.store.checkpoint_tables import checkpoints


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was known of an attempt when the buckets before `start` were in its evidence.

    From `start` on the flag was judged as its `version` defines it. `thinned` says that the rows before `start` are no
    longer kept as they were reported: nothing before it can be recomputed.
    """

    flag: str
    attempt: int
    start: int
    version: int
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    thinned: bool = False


class Checkpoints:
    """The checkpoints of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, environment_id: int, checkpoint: Checkpoint) -> None:
        """One for each start: a newer one takes the place of the one before."""
        here = _of(environment_id, checkpoint.flag, checkpoint.attempt) & (checkpoints.c.start == checkpoint.start)
        self._connection.execute(delete(checkpoints).where(here))
        self._connection.execute(insert(checkpoints).values(environment_id=environment_id, **_values(checkpoint)))

    def of(self, environment_id: int, flag: str, attempt: int) -> list[Checkpoint]:
        """Every checkpoint of an attempt in the order of time, from the one on before which rows were thinned."""
        query = select(checkpoints).where(_of(environment_id, flag, attempt)).order_by(checkpoints.c.start)
        found = [_checkpoint(row) for row in self._connection.execute(query)]
        first = max((number for number, each in enumerate(found) if each.thinned), default=0)
        return found[first:]

    def before(self, environment_id: int, flag: str, attempt: int, start: int) -> Checkpoint | None:
        """The newest checkpoint of an attempt at or before an instant."""
        query = select(checkpoints).where(_of(environment_id, flag, attempt), checkpoints.c.start <= start)
        row = self._connection.execute(query.order_by(checkpoints.c.start.desc()).limit(1)).one_or_none()
        return _checkpoint(row) if row else None

    def attempts(self, environment_id: int, flag: str) -> list[int]:
        """The attempts that have a checkpoint, in their order."""
        query = select(checkpoints.c.attempt).distinct().where(checkpoints.c.environment_id == environment_id)
        return sorted(self._connection.execute(query.where(checkpoints.c.flag == flag)).scalars())

    def mark_thinned(self, environment_id: int, flag: str, attempt: int, start: int) -> None:
        """Say that the rows before a checkpoint are no longer as they were."""
        here = _of(environment_id, flag, attempt) & (checkpoints.c.start == start)
        self._connection.execute(update(checkpoints).where(here).values(thinned=True))

    def forget_before(self, start: int) -> int:
        """How many were older and are gone."""
        return self._connection.execute(delete(checkpoints).where(checkpoints.c.start < start)).rowcount


def _of(environment_id: int, flag: str, attempt: int) -> Any:  # noqa: ANN401 - a SQL condition
    columns = checkpoints.c
    return (columns.environment_id == environment_id) & (columns.flag == flag) & (columns.attempt == attempt)


def _values(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "flag": checkpoint.flag,
        "attempt": checkpoint.attempt,
        "start": checkpoint.start,
        "version": checkpoint.version,
        "evidence": {name: evidence_document(each) for name, each in checkpoint.evidence.items()},
        "ledger": {name: ledger_document(each) for name, each in checkpoint.ledgers.items()},
        "thinned": checkpoint.thinned,
    }


def _checkpoint(row: Any) -> Checkpoint:  # noqa: ANN401 - a row of `checkpoints`
    return Checkpoint(
        flag=row.flag,
        attempt=row.attempt,
        start=row.start,
        version=row.version,
        evidence={name: parse_evidence(each) for name, each in row.evidence.items()},
        ledgers={name: parse_ledger(each) for name, each in row.ledger.items()},
        thinned=row.thinned,
    )
