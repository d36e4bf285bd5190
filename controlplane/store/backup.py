"""Backup: an embedded database as one file, and such a file in the place of the database."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, make_url

_BESIDE = ("-wal", "-shm")  # what SQLite keeps next to a database in use


def file_of(database_url: str) -> Path:
    """Where an embedded database is."""
    return Path(make_url(database_url).database or "")


def copy_to(engine: Engine, target: Path) -> None:
    """One moment of the database, whole, while others write to it. The file must not exist."""
    with closing(sqlite3.connect(file_of(str(engine.url)))) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)  # it has what opens sessions and tokens, if only as hashes


def is_whole(path: Path) -> bool:
    """Whether this is a database of ours without damage, whatever its version."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            connection.execute("SELECT version_num FROM alembic_version, environments LIMIT 1").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(verdict == "ok")


def put_in_place(backup: Path, database: Path, now: datetime) -> Path | None:
    """Copy the backup to where the database is, at once; what was there is kept beside it, and its path returned.

    No process may have the database open.
    """
    draft = database.with_name(f"{database.name}.restoring")
    database.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(backup, draft)
    draft.chmod(0o600)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    kept = _set_aside(database, now)
    draft.replace(database)
    return kept


def _set_aside(database: Path, now: datetime) -> Path | None:
    if not database.exists():
        return None
    kept = database.with_name(f"{database.name}.before-{now:%Y%m%dT%H%M%S}")
    for ending in ("", *_BESIDE):
        part = database.with_name(database.name + ending)
        if part.exists():
            part.rename(kept.with_name(kept.name + ending))
    return kept
