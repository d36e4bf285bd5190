"""`throwbar rollout`: one command a verb."""

import click

from web.cli.convergence import convergence
from web.cli.flag import described
from web.cli.plan import plan
from web.cli.plane import Plane
from web.cli.reaching import Told, on_the_plane, reason_option

VERBS = {
    "pause": "Stop advancing; shares stay, and judging goes on.",
    "resume": "Go on: the stage's percent is applied again, and its bake starts anew.",
    "advance": "To the next stage without waiting.",
    "step-back": "One stage back, which bakes anew.",
    "approve": "Let the stage be left when its bake is over.",
    "abort": "Give up: the operations go back to 0 %.",
    "rollback": "Send every call to the baseline at once.",
    "unlock": "Clear every rolled-back mark, the cool-down and the lock.",
}


_confirm = click.option("--confirm", default="", help="The flag's key, where data move and no way leads back.")


@click.group()
def rollout() -> None:
    """Start, watch and steer rollouts."""


@rollout.command()
@click.argument("key")
@on_the_plane
def show(plane: Plane, key: str) -> Told:
    """Where the rollout stands, and what it waits for."""
    found = plane.show_flag(key)
    return Told(found["rollout"], described(found))


@rollout.command()
@click.argument("key")
@click.option("--at", help="When, like 2026-01-31T09:00:00Z. Default: now, or when the plan says.")
@reason_option
@on_the_plane
def start(plane: Plane, key: str, at: str | None, reason: str) -> Told:
    """Begin a new attempt at the first stage."""
    changed = plane.start(key, reason, at)
    return Told(changed, described(changed))


@rollout.command()
@click.argument("key")
@_confirm
@click.option("--despite-criteria", is_flag=True, help="Although required success criteria have not passed; say why.")
@reason_option
@on_the_plane
def finish(plane: Plane, key: str, despite_criteria: bool, confirm: str, reason: str) -> Told:
    """Drop the hold-back: everything goes to the candidate."""
    changed = plane.finish(key, reason, confirm, despite_criteria=despite_criteria)
    return Told(changed, described(changed))


@rollout.command()
@on_the_plane
def templates(plane: Plane) -> Told:
    """The plans to begin with; `--json` writes each as a flag's document takes it."""
    found = plane.list_plan_templates()
    return Told({"items": found}, "\n".join(f"{each['name']:<12}{each['description']}" for each in found))


def _command(verb: str, help_line: str) -> click.Command:
    @click.argument("key")
    @reason_option
    @on_the_plane
    def act(plane: Plane, key: str, reason: str, confirm: str = "") -> Told:
        changed = plane.act(key, verb, reason, confirm=confirm)
        return Told(changed, described(changed))

    if verb == "advance":
        act = _confirm(act)
    return click.command(verb, help=help_line)(act)


@rollout.command()
@click.argument("key")
@click.option("--side", type=click.Choice(["baseline", "candidate"]), required=True, help="Whose store missed them.")
@click.option("--writes", type=click.IntRange(1), help="At most so many: what went missing since you looked stays.")
@click.option("--operation", help="Of this operation only.")
@reason_option
@on_the_plane
def reconciled(plane: Plane, key: str, side: str, writes: int | None, operation: str | None, reason: str) -> Told:
    """Say that writes which one side's store missed are there now, and with --reason how they got there."""
    changed = plane.reconciled(key, {"side": side, "writes": writes, "operation": operation}, reason)
    return Told(changed, described(changed))


for _verb, _help in VERBS.items():
    rollout.add_command(_command(_verb, _help))
rollout.add_command(plan)
rollout.add_command(convergence)
