"""Attachments: rows ⇄ Attachment. The newest of each flag are kept; every one is in the audit log."""

from sqlalchemy import Connection, delete, insert, select

from controlplane.domain.attachment import Attachment
from controlplane.store.checklist_tables import attachments

KEPT = 200  # of each flag
_FIELDS = ("suite", "passed", "commit", "link", "notes", "by", "at", "id")


class Attachments:
    """What was attached to the flags of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, environment_id: int, flag: str, limit: int = KEPT) -> list[Attachment]:
        """From the newest backwards."""
        query = select(attachments).where(attachments.c.environment_id == environment_id, attachments.c.flag == flag)
        rows = self._connection.execute(query.order_by(attachments.c.id.desc()).limit(limit))
        return [Attachment(**{name: getattr(row, name) for name in _FIELDS}) for row in rows]

    def add(self, environment_id: int, flag: str, new: Attachment) -> Attachment:
        values = {name: getattr(new, name) for name in _FIELDS if name != "id"}
        statement = insert(attachments).values(environment_id=environment_id, flag=flag, **values)
        self._connection.execute(statement)
        kept = self.newest(environment_id, flag, KEPT + 1)
        if len(kept) > KEPT:
            here = (attachments.c.environment_id == environment_id) & (attachments.c.flag == flag)
            self._connection.execute(delete(attachments).where(here, attachments.c.id <= kept[-1].id))
        return kept[0]
