"""Checkpoints: the evidence of an attempt as it was at some instant, so that a replay need not begin at its start."""

import zlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from controlplane.documents.watching import evidence_document, parse_evidence
from controlplane.domain.observation import Evidence
from controlplane.store.tables import checkpoints


class Checkpoints:
    """`start` is the `judged_until` of the watch it was taken from: buckets that start before it are in it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        environment_id: int,
        flag: str,
        attempt: int,
        start: int,
        evidence: Mapping[str, Evidence],
        at: datetime,
    ) -> None:
        """Taken again at the same place it replaces the one before: a lost step may be done again."""
        body = zlib.compress(msgspec.json.encode({name: evidence_document(each) for name, each in evidence.items()}))
        here = _of(environment_id, flag) & (checkpoints.c.attempt == attempt) & (checkpoints.c.start == start)
        self._connection.execute(delete(checkpoints).where(here))
        key = {"environment_id": environment_id, "flag": flag, "attempt": attempt, "start": start}
        self._connection.execute(insert(checkpoints).values(**key, at=at, evidence=body))

    def before(
        self, environment_id: int, flag: str, attempt: int, start: int
    ) -> tuple[int, dict[str, Evidence]] | None:
        """(start, operation → evidence) of the newest checkpoint of an attempt at or before an instant."""
        query = (
            select(checkpoints.c.start, checkpoints.c.evidence)
            .where(_of(environment_id, flag), checkpoints.c.attempt == attempt, checkpoints.c.start <= start)
            .order_by(checkpoints.c.start.desc())
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return (row.start, _evidence(row.evidence)) if row else None

    def starts(self, environment_id: int, flag: str) -> dict[int, list[int]]:
        """Attempt → the starts of its checkpoints, ascending."""
        columns = (checkpoints.c.attempt, checkpoints.c.start)
        found: dict[int, list[int]] = {}
        for row in self._connection.execute(select(*columns).where(_of(environment_id, flag)).order_by(*columns)):
            found.setdefault(row.attempt, []).append(row.start)
        return found

    def forget(self, environment_id: int, flag: str, attempt: int, starts: Collection[int]) -> None:
        here = _of(environment_id, flag) & (checkpoints.c.attempt == attempt)
        self._connection.execute(delete(checkpoints).where(here, checkpoints.c.start.in_(sorted(starts))))


def _of(environment_id: int, flag: str) -> Any:  # noqa: ANN401 - a SQL condition
    return (checkpoints.c.environment_id == environment_id) & (checkpoints.c.flag == flag)


def _evidence(body: bytes) -> dict[str, Evidence]:
    return {name: parse_evidence(each) for name, each in msgspec.json.decode(zlib.decompress(body)).items()}
