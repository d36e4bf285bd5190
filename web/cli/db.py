"""`throwbar db`: bring the database to this version, and see which it has."""

import click

from controlplane.clock import utc_now
from controlplane.usecases.changing import Cause
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.schema import schema_state, upgrade_schema
from web.cli.local import operator
from web.cli.reaching import Told, opened_store, tell

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def db() -> None:
    """Upgrade the database, and see its version."""


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Create or upgrade every table, and the environment production in an empty database."""
    with opened_store() as (store, _):
        upgrade_schema(store)
        ensure_first(store, Cause(operator(), utc_now()))
        current, newest = schema_state(store)
    tell(Told({"current": current, "newest": newest}, f"the database has schema {current}."), as_json=as_json)


@db.command()
@json_option
def current(as_json: bool) -> None:
    """The schema of the database, and the one this program needs. Exit status 1 when they differ."""
    with opened_store() as (store, _):
        has, needs = schema_state(store)
    text = f"database: {has or 'empty'}\nprogram:  {needs or 'none'}"
    tell(Told({"current": has, "newest": needs}, text, ok=has == needs), as_json=as_json)
