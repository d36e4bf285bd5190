"""Flags: rows ⇄ Flag, with the optimistic version check, and every version a flag has had."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Text, cast, func, insert, select, update

from controlplane.documents.flag import flag_document, parse_flag
from controlplane.documents.state import state_document, with_state
from controlplane.domain.errors import AlreadyExists, NotFound, StaleVersion
from controlplane.domain.flag import Flag
from controlplane.store.tables import flag_versions, flags

_DEFINITIONS = 4_096  # parsed ones that are kept: some 5 KiB each


class Flags:
    """The flags of all environments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, environment_id: int, key: str) -> Flag:
        """Raises NotFound."""
        row = self._row(environment_id, key)
        if row is None:
            message = f"there is no flag '{key}' in this environment"
            raise NotFound(message)
        return _flag(row)

    def require_free(self, environment_id: int, key: str) -> None:
        """Raises AlreadyExists; an archived flag keeps its key, so that its history stays its own."""
        row = self._row(environment_id, key)
        if row is not None:
            archived = " (archived)" if row.archived_at else ""
            message = f"flag '{key}' exists already{archived}: choose another key"
            raise AlreadyExists(message)

    def all(self, environment_id: int, *, archived: bool = False) -> list[Flag]:
        """The flags of an environment by key; archived ones only when asked for."""
        query = select(*_READ).where(flags.c.environment_id == environment_id).order_by(flags.c.key)
        if not archived:
            query = query.where(flags.c.archived_at.is_(None))
        return [_flag(row) for row in self._connection.execute(query)]

    def answering(self, environment_id: int) -> list[Flag]:
        """Those that services hear of: all that are not retired, archived ones included."""
        query = select(*_READ).where(flags.c.environment_id == environment_id, flags.c.retired_at.is_(None))
        return [_flag(row) for row in self._connection.execute(query.order_by(flags.c.key))]

    def add(self, environment_id: int, flag: Flag) -> None:
        values = {**_values(flag), "environment_id": environment_id, "key": flag.key, "created_at": flag.created_at}
        self._connection.execute(insert(flags).values(values))
        self._keep(environment_id, flag)

    def save(self, environment_id: int, before: Flag, after: Flag) -> None:
        """Raises StaleVersion when somebody saved in between."""
        result = self._connection.execute(
            update(flags)
            .where(flags.c.environment_id == environment_id, flags.c.key == before.key)
            .where(flags.c.version == before.version)
            .values(_values(after))
        )
        if result.rowcount != 1:
            raise StaleVersion(before.key, before.version, self.get(environment_id, before.key).version)
        self._keep(environment_id, after)

    def definition_at(self, environment_id: int, key: str, version: int) -> Flag:
        """A flag as it was defined at a version, without its state. Raises NotFound."""
        query = (
            select(flag_versions.c.definition)
            .join(flags, flags.c.id == flag_versions.c.flag_id)
            .where(flags.c.environment_id == environment_id, flags.c.key == key, flag_versions.c.version == version)
        )
        definition = self._connection.execute(query).scalar_one_or_none()
        if definition is None:
            message = f"flag '{key}' has no version {version}"
            raise NotFound(message)
        return parse_flag(definition)

    def versions(self, environment_id: int, key: str) -> list[tuple[datetime, Mapping[str, Any]]]:
        """Since when each definition has held, from the first one on."""
        query = (
            select(flag_versions.c.at, flag_versions.c.definition)
            .join(flags, flags.c.id == flag_versions.c.flag_id)
            .where(flags.c.environment_id == environment_id, flags.c.key == key)
        )
        return [(row.at, row.definition) for row in self._connection.execute(query.order_by(flag_versions.c.version))]

    def count(self, environment_id: int) -> int:
        """How many are not archived."""
        here = (flags.c.environment_id == environment_id) & flags.c.archived_at.is_(None)
        return int(self._connection.execute(select(func.count()).select_from(flags).where(here)).scalar_one())

    def keys(self, environment_id: int) -> frozenset[str]:
        """The keys of all flags, archived ones included."""
        return frozenset(
            self._connection.execute(select(flags.c.key).where(flags.c.environment_id == environment_id)).scalars()
        )

    def marks(self, environment_id: int) -> dict[str, int]:
        """Key → version, without the weight of the definitions."""
        query = select(flags.c.key, flags.c.version).where(flags.c.environment_id == environment_id)
        return {row.key: row.version for row in self._connection.execute(query)}

    def _row(self, environment_id: int, key: str) -> Row[Any] | None:
        query = select(*_READ).where(flags.c.environment_id == environment_id, flags.c.key == key)
        return self._connection.execute(query).one_or_none()

    def _keep(self, environment_id: int, flag: Flag) -> None:
        row = self._row(environment_id, flag.key)
        if row is not None:
            values = {"flag_id": row.id, "version": flag.version, "at": flag.updated_at}
            self._connection.execute(insert(flag_versions).values({**values, "definition": flag_document(flag)}))


# The definition comes as text, by which what was parsed of it is found again.
_READ = [cast(column, Text).label("written") if column.name == "definition" else column for column in flags.c]


@lru_cache(maxsize=_DEFINITIONS)
def _defined(written: str) -> Flag:
    """The flag that a definition says: the same for the same text, whichever process wrote it, so never stale."""
    return parse_flag(msgspec.json.decode(written))


def _values(flag: Flag) -> dict[str, Any]:
    return {
        "version": flag.version,
        "published": flag.published or None,
        "definition": flag_document(flag),
        "state": state_document(flag),
        "updated_at": flag.updated_at,
        "archived_at": flag.archived_at,
        "retired_at": flag.retired_at,
    }


def _flag(row: Row[Any]) -> Flag:
    flag = with_state(_defined(row.written), row.state)
    return replace(
        flag,
        version=row.version,
        published=row.published or 0,
        created_at=row.created_at,
        updated_at=row.updated_at,
        archived_at=row.archived_at,
        retired_at=row.retired_at,
    )
