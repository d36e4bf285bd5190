"""`throwbar flag convergence`, which `rollout` has as well: has the last change landed, and who is behind?"""

import click

from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane


@click.command()
@click.argument("key")
@on_the_plane
def convergence(plane: Plane, key: str) -> Told:
    """Which live instances obey the flag as it is now. Exit status 1 while one does not."""
    found = plane.convergence(key)
    listed = {each["instance"]: each for each in (*found["behind"], *found["silent"])}
    rows: list[tuple[object, ...]] = [("instance", "service", "version", "last heard", "silent")]
    rows += [
        (each["instance"], each["service"], each["version"], each["last_seen_at"], "silent" if each["silent"] else "")
        for each in listed.values()
    ]
    lines = [f"{key}: {found['sentence']}.", *([columns(rows, "")] if listed else [])]
    return Told(found, "\n".join(lines), ok=found["on_newest"] == found["instances"])
