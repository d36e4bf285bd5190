"""`throwbar environment` and `throwbar snapshot`: where flags belong, and what services are told."""

import json

import click

from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option


@click.group()
def environment() -> None:
    """List and create environments."""


@environment.command("list")
@on_the_plane
def list_environments(plane: Plane) -> Told:
    """Every environment with the version of its snapshot."""
    found = plane.list_environments()
    rows = [("environment", "flags", "snapshot"), *((each["name"], each["flags"], each["version"]) for each in found)]
    return Told(found, columns(rows, "There are no environments yet."))


@environment.command()
@click.argument("name")
@reason_option
@on_the_plane
def create(plane: Plane, name: str, reason: str) -> Told:
    """Create an environment."""
    new = plane.create_environment(name, reason)
    return Told(new, f"{name} is created.")


@environment.command("set")
@click.argument("name")
@click.option(
    "--require-reason/--no-require-reason", required=True, help="Whether each change must say why. Brakes need not."
)
@reason_option
@on_the_plane
def set_environment(plane: Plane, name: str, reason: str, require_reason: bool) -> Told:
    """Set what an environment asks of its changes."""
    changed = plane.set_environment(name, reason, require_reason=require_reason)
    asks = "asks for a reason with each change" if require_reason else "asks for no reasons"
    return Told(changed, f"{name} {asks}.")


@click.group()
def snapshot() -> None:
    """Show what services are told."""


@snapshot.command()
@on_the_plane
def show(plane: Plane) -> Told:
    """The snapshot of an environment, as services poll it."""
    found = plane.snapshot()
    return Told(found, json.dumps(found, indent=2, ensure_ascii=False))
