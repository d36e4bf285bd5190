"""`throwbar report`: the success criteria of a migration, and the file to hand on."""

from pathlib import Path

import click

from web.cli.plane import Plane
from web.cli.reaching import Told, on_the_plane
from web.report import WORDS, report_page


@click.command()
@click.argument("key")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file, too.")
@on_the_plane
def report(plane: Plane, key: str, html: Path | None) -> Told:
    """Whether a migration was a success. Exit status 1 while a criterion has not passed."""
    found = plane.report(key)
    if html:
        html.write_text(report_page(found), "utf-8")
    lines = [f"{key}: {WORDS[found['outcome']]}"]
    for each in found["criteria"]:
        lines.append(f"{WORDS[each['outcome']]:<16}{each['title']}")
        lines += [f"{'':<16}{point['sentence']}" for point in each["points"]]
    return Told(found, "\n".join(lines), ok=found["outcome"] == "pass")
