"""The options that every command has, and how the control plane is reached with them."""

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from controlplane.domain.errors import SchemaMismatch
from controlplane.settings import Settings, read_settings
from controlplane.store import Store, open_store
from controlplane.store.revision import is_current
from controlplane.usecases.environments import FIRST
from web.cli.local import Local
from web.cli.plane import Plane
from web.cli.remote import Remote


@dataclass(frozen=True, slots=True)
class Told:
    """What a command found: `value` for programs, `text` for people. `ok` False means exit status 1."""

    value: Any
    text: str
    ok: bool = True


def on_the_plane(command: Callable[..., Told | None]) -> Callable[..., None]:
    """A command whose first argument is the plane and which returns what to tell; None where it told it itself."""

    @click.option("-e", "--environment", default=FIRST, show_default=True, help="Whose flags.")
    @click.option("--url", help="Ask a server instead of the database, like https://throwbar.example.org.")
    @click.option("--token", help="An admin token, for --url.", envvar="THROWBAR_TOKEN", show_envvar=True)
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(command)
    def reached(environment: str, url: str | None, token: str | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401
        with plane_at(environment, url, token) as plane:
            told = command(plane, **options)
            if told:
                tell(told, as_json=as_json)

    return reached


def tell(told: Told, *, as_json: bool) -> None:
    """Print it, and end with the exit status that it means."""
    click.echo(json.dumps(told.value, indent=2, ensure_ascii=False) if as_json else told.text)
    if not told.ok:
        raise SystemExit(1)


@contextmanager
def plane_at(environment: str, url: str | None, token: str | None) -> Iterator[Plane]:
    """The server where one is named, else the database of the settings."""
    if url:
        if not token:
            raise click.UsageError("--url needs --token, or THROWBAR_TOKEN")
        yield Remote(url, token, environment)
        return
    with opened_store() as (store, settings):
        require_schema(store)
        yield Local(store, settings, environment)


@contextmanager
def opened_store() -> Iterator[tuple[Store, Settings]]:
    settings = read_settings(os.environ)
    with open_store(settings.database_url) as store:
        yield store, settings


def require_schema(store: Store) -> None:
    """Raises SchemaMismatch for a database without tables, or with those of another version."""
    if not is_current(store.engine):
        from controlplane.usecases.schema import schema_state  # noqa: PLC0415 - Alembic: a third of a second

        current, newest = schema_state(store)
        has = f"has schema {current}" if current else "has no tables yet"
        message = f"the database {has}, this program needs {newest}: run `throwbar db upgrade`"
        raise SchemaMismatch(message)


def columns(rows: Sequence[Sequence[object]], nothing: str) -> str:
    """A table in plain text; `nothing` where there are no rows below the head."""
    if len(rows) < 2:
        return nothing
    texts = [["–" if cell is None else _harmless(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[number]) for row in texts) for number in range(len(texts[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )


def _harmless(text: str) -> str:
    """Without what moves a terminal's cursor: a reason is written by anybody who may change a flag."""
    plain = text.replace("\u202f", " ")  # our own narrow blank within numbers is no printable character to Python
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in plain)


reason_option = click.option("-m", "--reason", default="", help="Why: it goes into the audit log.")
