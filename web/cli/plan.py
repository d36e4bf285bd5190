"""`throwbar rollout plan`: show, set, and copy the plan of another flag."""

import json
from typing import BinaryIO

import click

from controlplane.documents.reading import read_object
from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option


@click.group()
def plan() -> None:
    """Show, set and copy the plan of a flag. One that is carried out is paused first."""


@plan.command()
@click.argument("key")
@on_the_plane
def show(plane: Plane, key: str) -> Told:
    """The stages; with --json the whole document, as `set` takes it."""
    found = plane.show_flag(key)["plan"]
    return Told(found, _told(found))


@plan.command("set")
@click.argument("key")
@click.option("-f", "--file", type=click.File("rb"), required=True, help="The plan as JSON; - reads standard input.")
@reason_option
@on_the_plane
def set_plan(plane: Plane, key: str, file: BinaryIO, reason: str) -> Told:
    """Replace the plan: what is left out gets its default."""
    changed = plane.set_plan(key, read_object(file.read()), reason)
    return Told(changed["plan"], _told(changed["plan"]))


@plan.command()
@click.argument("source")
@click.argument("key")
@reason_option
@on_the_plane
def copy(plane: Plane, source: str, key: str, reason: str) -> Told:
    """Give KEY the plan of SOURCE, but its date: `plan copy dspex-bridge search-bridge`."""
    changed = plane.copy_plan(key, source, reason)
    return Told(changed["plan"], _told(changed["plan"]))


_END = "Complete is never entered by itself: `rollout advance KEY --confirm KEY`, and no way leads back from there."


def _told(found: dict[str, object] | None) -> str:
    if not found:
        return "There is no plan."
    stages: list[dict[str, object]] = json.loads(json.dumps(found["stages"]))
    modes = _modes(stages)
    rows: list[tuple[object, ...]] = [
        ("stage", "percent", "bake", "approval", "phase" if found.get("kind") == "data" else "mode")
    ]
    rows += [
        (number, each["percent"], f"{each['bake_seconds']:g} s", "asks" if each.get("approval") else "", mode)
        for number, (each, mode) in enumerate(zip(stages, modes, strict=True), 1)
    ]
    table = columns(rows if any(modes) else [row[:-1] for row in rows], "")
    return f"{table}\n{_END}" if any(each.get("phase") == "complete" for each in stages) else table


def _modes(stages: list[dict[str, object]]) -> list[str]:
    """What else happens to a call at each stage: its phase, where data move, or what it says, or the one before it."""
    found, mode = [], ""
    for stage in stages:
        mode = str(stage.get("phase") or stage.get("mode") or mode).replace("_", " ")
        sampled = stage.get("shadow_percent")
        found.append(mode if sampled is None else f"{mode} {sampled:g} %".strip())
    return found
