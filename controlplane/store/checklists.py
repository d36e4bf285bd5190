"""Checklists: one row a flag and phase, once somebody has changed the list."""

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from controlplane.documents.checklist import listed_document, stored_checklist
from controlplane.domain.checklist import Checklist, Phase, starting
from controlplane.store.checklist_tables import checklists


class Checklists:
    """The checklists of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, environment_id: int, flag: str, phase: Phase) -> Checklist:
        """The starting list where nobody has changed it."""
        row = self._connection.execute(
            select(checklists.c.body, checklists.c.version).where(*_at(environment_id, flag, phase))
        ).one_or_none()
        return stored_checklist(row.body, row.version) if row else starting(phase)

    def save(self, environment_id: int, flag: str, phase: Phase, checklist: Checklist) -> None:
        """Needs the environment's lock."""
        self._connection.execute(delete(checklists).where(*_at(environment_id, flag, phase)))
        key = {"environment_id": environment_id, "flag": flag, "phase": phase.value}
        values = {"version": checklist.version, "body": listed_document(checklist)}
        self._connection.execute(insert(checklists).values(**key, **values))


def _at(environment_id: int, flag: str, phase: Phase) -> tuple[Any, ...]:
    columns = checklists.c
    return columns.environment_id == environment_id, columns.flag == flag, columns.phase == phase.value
