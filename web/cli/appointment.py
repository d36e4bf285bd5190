"""`throwbar appointment` and `throwbar freeze`: what happens at a set time, and when nothing does."""

from typing import Any

import click

from controlplane.domain.appointment import Deed
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option

_INSTANT = "like 2026-01-31T09:00:00Z"


@click.group()
def appointment() -> None:
    """Single changes that the scheduler makes at a set time."""


@appointment.command("list")
@click.argument("flag")
@on_the_plane
def list_appointments(plane: Plane, flag: str) -> Told:
    """What is to come for a flag, and what became of what is over."""
    found = plane.list_appointments(flag)
    rows: list[tuple[object, ...]] = [("id", "at", "what", "made by", "outcome")]
    rows += [(each["id"], each["at"], _what(each), each["made_by"], each["outcome"] or "to come") for each in found]
    return Told(found, columns(rows, f"There are no appointments of {flag}."))


@appointment.command()
@click.argument("flag")
@click.argument("deed", type=click.Choice([each.value for each in Deed]))
@click.option("--at", required=True, help=f"When, {_INSTANT}.")
@click.option("--operation", help="For percent and rollback.")
@click.option("--percent", type=float, help="For percent.")
@reason_option
@on_the_plane
def make(plane: Plane, flag: str, **given: Any) -> Told:  # noqa: ANN401 - the fields of the document
    """Let DEED be done to FLAG at a set time: `make dspex-bridge percent --operation echo --percent 5 --at …`."""
    made = plane.make_appointment(flag, {name: value for name, value in given.items() if value is not None})
    return Told(made, f"{made['id']}: {_what(made)} at {made['at']}.")


@appointment.command()
@click.argument("flag")
@click.argument("number", type=int)
@reason_option
@on_the_plane
def cancel(plane: Plane, flag: str, number: int, reason: str) -> Told:
    """Call it off."""
    over = plane.cancel_appointment(flag, number, reason)
    return Told(over, f"{number} is called off: {_what(over)} at {over['at']}.")


def _what(told: Answer) -> str:
    of = f" {told['operation']}" if told["operation"] else ""
    percent = "" if told["percent"] is None else f" {told['percent']:g} %"
    return f"{told['deed']}{of}{percent}"


@click.group()
def freeze() -> None:
    """Spans in which the scheduler starts and advances nothing."""


@freeze.command("list")
@on_the_plane
def list_freezes(plane: Plane) -> Told:
    """The freezes of an environment by their beginning."""
    found = plane.list_freezes()
    rows: list[tuple[object, ...]] = [("id", "from", "until", "name")]
    rows += [(each["id"], each["starts_at"], each["ends_at"], each["name"]) for each in found]
    return Told(found, columns(rows, "There are no freezes."))


@freeze.command()
@click.argument("name")
@click.option("--from", "starts_at", required=True, help=f"From when, {_INSTANT}.")
@click.option("--until", "ends_at", required=True, help=f"Until when, {_INSTANT}.")
@reason_option
@on_the_plane
def add(plane: Plane, name: str, starts_at: str, ends_at: str, reason: str) -> Told:
    """Let nothing move on: `add Christmas --from 2026-12-20T00:00:00Z --until 2027-01-07T00:00:00Z`."""
    new = plane.add_freeze({"name": name, "starts_at": starts_at, "ends_at": ends_at}, reason)
    return Told(new, f"{new['id']}: nothing moves on from {new['starts_at']} until {new['ends_at']}.")


@freeze.command()
@click.argument("number", type=int)
@reason_option
@on_the_plane
def remove(plane: Plane, number: int, reason: str) -> Told:
    """Let rollouts move on again."""
    old = plane.remove_freeze(number, reason)
    return Told(old, f"{old['name']} is over: rollouts move on at the next tick.")
