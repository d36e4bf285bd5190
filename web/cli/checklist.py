"""`throwbar checklist`: what to look at before a migration, what to clean up after it, and test results."""

import click

from controlplane.domain.checklist import Phase
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option

_phase = click.option(
    "--after", "phase", flag_value=Phase.AFTER.value, help="The clean-up points instead of the list before."
)


@click.group()
def checklist() -> None:
    """What to look at before a migration, and to clean up after it."""


@checklist.command()
@click.argument("flag")
@_phase
@on_the_plane
def show(plane: Plane, flag: str, phase: str | None) -> Told:
    """The items, whose they are, and what holds the rollout back."""
    found = plane.show_checklist(flag, phase or Phase.BEFORE.value)
    return Told(found, _described(found))


@checklist.command("set")
@click.argument("flag")
@click.argument("item")
@click.option("--title", help="What has to be looked at; an item that is new needs one.")
@click.option("--owner", help="Whose it is.")
@click.option("--evidence", help="A text or a link.")
@click.option("--done/--open", default=None, help="Tick it off, or open it again.")
@click.option("--required/--optional", default=None, help="Whether a rollout may wait for it.")
@_phase
@reason_option
@on_the_plane
def set_item(plane: Plane, flag: str, item: str, phase: str | None, reason: str, **given: str | bool | None) -> Told:
    """Change an item of FLAG, or add it: `set dspex-bridge usage --evidence https://… --done`."""
    document = {name: value for name, value in given.items() if value is not None}
    found = plane.set_item(flag, phase or Phase.BEFORE.value, item, document, reason)
    return Told(found, _described(found))


@checklist.command()
@click.argument("flag")
@click.option("--items/--no-items", default=None, help="A rollout waits for the required items.")
@click.option("--tests/--no-tests", default=None, help="A rollout waits for passing tests.")
@click.option("--criteria/--no-criteria", default=None, help="Finishing waits for every success criterion.")
@reason_option
@on_the_plane
def require(plane: Plane, flag: str, reason: str, **given: bool | None) -> Told:
    """Say what a rollout of FLAG waits for."""
    now = plane.show_checklist(flag, Phase.BEFORE.value)
    names = {"items": "required", "tests": "tests_required", "criteria": "criteria_required"}
    kept = {name: now.get(name, False) for name in names.values()}  # a server may be older than this shell
    wanted = {names[option]: value for option, value in given.items() if value is not None}
    document = {**{name: value for name, value in kept.items() if value}, **wanted, "items": now["items"]}
    found = plane.replace_checklist(flag, Phase.BEFORE.value, document, reason)
    return Told(found, _described(found))


@checklist.command()
@click.argument("flag")
@click.option("--commit", required=True, help="What was tested.")
@click.option("--result", required=True, type=click.Choice(["passed", "failed"]))
@click.option("--suite", default="tests", show_default=True, help="Which tests; the newest result of each counts.")
@click.option("--link", default="", help="Where the run can be read.")
@click.option("--notes", default="")
@reason_option
@on_the_plane
def attach(plane: Plane, flag: str, reason: str, **given: str) -> Told:
    """Attach a run of tests to FLAG, from a pipeline."""
    kept = plane.attach(flag, given, reason)
    return Told(kept, f"{kept['suite']} {kept['result']} at {kept['commit']}, attached by {kept['by']}.")


def _described(found: Answer) -> str:
    rows: list[tuple[object, ...]] = [("id", "state", "owner", "what", "evidence")]
    rows += [
        (
            each["id"],
            "done" if each["done"] else "open" if each["required"] else "open, optional",
            each["owner"],
            each["title"],
            each["evidence"],
        )
        for each in found["items"]
    ]
    lines = [columns(rows, "Nothing is on this list.")]
    if found["open"]:
        lines.append(f"A rollout waits for: {'; '.join(found['open'])}")
    if found.get("criteria_required"):
        lines.append("Finishing waits for every success criterion.")
    return "\n".join(lines)
