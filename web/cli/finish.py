"""`throwbar finish-line` and `throwbar stale`: is a baseline unused, and which flags were forgotten?"""

import click

from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane


@click.command("finish-line")
@click.argument("key")
@on_the_plane
def finish_line(plane: Plane, key: str) -> Told:
    """Whether the baseline can be removed. Exit status 1 while it cannot."""
    found = plane.finish_line(key)
    rows: list[tuple[object, ...]] = [("last call", "operation", "service", "why", "registered at")]
    rows += [
        (each["last_at"], each["operation"], each["service"], each["assigned_by"], ", ".join(each["places"]))
        for each in found["callers"]
    ]
    left = [each["title"] for each in found["clean_up"]["items"] if not each["done"]]
    lines = [f"{key}: {found['sentence']}", columns(rows, "No call to the baseline is known of.")]
    return Told(found, "\n".join([*lines, *(f"left to do: {title}" for title in left)]), ok=found["ready"])


@click.command()
@on_the_plane
def stale(plane: Plane) -> Told:
    """Flags that look forgotten, and why."""
    found = plane.list_stale()
    rows: list[tuple[object, ...]] = [("flag", "owner", "why")]
    rows += [(each["flag"], each["owner"], "; ".join(each["reasons"])) for each in found]
    return Told(found, columns(rows, "No flag looks forgotten."))
