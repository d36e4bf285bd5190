"""Revision: is the database up to date? Asked at every start, so without Alembic, which takes longer to load than that.

Migrations are numbered files; the number is the revision.
"""

from pathlib import Path

from sqlalchemy import Column, Engine, MetaData, String, Table, inspect, select

import migrations
from controlplane.store.engine import answering

_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def is_current(engine: Engine) -> bool:
    """Whether no migration is missing and none is unknown."""
    return recorded(engine) == shipped()


def recorded(engine: Engine) -> str | None:
    """The revision of the database; None for an empty one."""
    with answering(), engine.connect() as connection:
        if not inspect(connection).has_table(_VERSIONS.name):
            return None
        return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()


def shipped() -> str:
    """The revision this program was written for."""
    files = Path(migrations.__file__).parent.joinpath("versions").glob("[0-9]*_*.py")
    return max(file.name.partition("_")[0] for file in files)
