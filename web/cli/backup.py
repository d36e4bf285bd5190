"""`throwbar backup` and `throwbar restore`: a copy of the database, and the way back."""

import os
from datetime import timedelta
from pathlib import Path

import click

from controlplane.clock import utc_now
from controlplane.settings import Settings, read_settings
from controlplane.store import Store, open_store
from controlplane.store.backup import copy_to, file_of, is_whole, put_in_place
from controlplane.usecases.changing import Cause
from controlplane.usecases.leading import lead, step_down
from controlplane.usecases.restoring import renew_sources
from controlplane.usecases.schema import upgrade_schema
from web.cli.db import json_option
from web.cli.local import operator
from web.cli.reaching import Told, opened_store, require_schema, tell

ELSEWHERE = "this database is a PostgreSQL: use pg_dump and pg_restore, then `throwbar restore` without a file"
_A_WHILE = timedelta(minutes=1)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Copy the database to FILE: one moment of it, whole, while the server runs.

    For SQLite. Keep `secret_key`, beside the database, as well, or everybody has to sign in again.
    """
    with opened_store() as (store, settings):
        _must_be_embedded(settings)
        require_schema(store)
        if file.exists():
            raise click.ClickException(f"{file} exists already: give another name, or remove it")
        if not file.absolute().parent.is_dir():
            raise click.ClickException(f"there is no folder {file.absolute().parent}")
        copy_to(store.engine, file)
    size = file.stat().st_size
    tell(Told({"file": str(file), "bytes": size}, f"{file}: {size:,} bytes."), as_json=as_json)


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@json_option
def restore(file: Path | None, as_json: bool) -> None:
    """Put the backup FILE in the place of the database. Stop every process before.

    Without FILE: a backup was put back by other means, such as pg_restore. In both cases the schema is upgraded, and
    services are told that versions count anew: else they would go on with the newer snapshot that they have.
    """
    settings, now = read_settings(os.environ), utc_now()
    kept = _replaced(file, settings) if file else None
    with open_store(settings.database_url) as store:
        if not file:
            _refuse_while_led(store)
        upgrade_schema(store)
        reason = f"from {file.name}" if file else "put back by other means"
        names = renew_sources(store, Cause(operator(), now, reason))
    told = {"environments": names, "kept": str(kept) if kept else None}
    lines = [f"Restored: {', '.join(names)}. Start the server, then run `throwbar audit verify`."]
    lines += [f"What was there before is in {kept}."] if kept else []
    tell(Told(told, "\n".join(lines)), as_json=as_json)


def _replaced(file: Path, settings: Settings) -> Path | None:
    """The path of the database that stood there before, if one did. A refusal changes nothing."""
    _must_be_embedded(settings)
    database = file_of(settings.database_url)
    if not is_whole(file):
        raise click.ClickException(f"{file} is no backup of Throwbar, or it is damaged")
    if database.exists() and file.samefile(database):
        raise click.ClickException(f"{file} is the database itself: for one that was put back, leave the file out")
    if database.exists() and is_whole(database):
        with open_store(settings.database_url) as store:
            _refuse_while_led(store)
    return put_in_place(file, database, utc_now())


def _refuse_while_led(store: Store) -> None:
    """A scheduler would go on with what it knows of the database that was there."""
    lease = lead(store, "restore", utc_now(), _A_WHILE)
    if lease is None:
        raise click.ClickException("a scheduler is at work on this database: stop every process first")
    step_down(store, lease, utc_now())


def _must_be_embedded(settings: Settings) -> None:
    if not settings.is_embedded:
        raise click.ClickException(ELSEWHERE)
