"""`throwbar flag`: list, show, create, switch, share, target, roll back."""

from typing import Any, BinaryIO

import click

from controlplane.documents.reading import read_object
from controlplane.domain.errors import NotFound
from controlplane.domain.feature import Kind
from web.cli.convergence import convergence
from web.cli.feature import definition, goes_to, served, target, variant_lines
from web.cli.plane import Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option

KINDS = [each.value for each in Kind]


@click.group()
def flag() -> None:
    """List, show, create, switch, share and roll back flags."""


@flag.command("list")
@click.option("--archived", is_flag=True, help="Archived flags, too.")
@click.option("--kind", type=click.Choice(KINDS), help="Flags of this kind alone.")
@on_the_plane
def list_flags(plane: Plane, archived: bool, kind: str | None) -> Told:
    """Every flag with its share, its rollout and its health."""
    found = [each for each in plane.list_flags(archived=archived) if kind in {None, each["kind"]}]
    rows = [("flag", "kind", "state", "percent", "rollout", "health", "version")]
    rows += [
        (
            each["key"],
            each["kind"],
            _state(each),
            each["rollout"]["percent"],
            each["rollout"]["state"],
            each["health"],
            each["version"],
        )
        for each in found
    ]
    return Told(found, columns(rows, "There are no flags yet."))


@flag.command()
@click.argument("key")
@on_the_plane
def show(plane: Plane, key: str) -> Told:
    """One flag: operations, rollout, and what it waits for."""
    found = plane.show_flag(key)
    return Told(found, described(found))


@flag.command()
@click.argument("key", required=False)
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="What it is.")
@click.option("--baseline", help="The backend that is trusted; of a feature the variant that is moved from.")
@click.option("--candidate", help="The backend, or the variant, that is moved to.")
@click.option("--variant", "variants", multiple=True, help="Of a feature: on=true. Give it once for each.")
@click.option("--default-variant", help="Of a feature: what nobody has to be targeted for.")
@click.option("--targeting", help="Of a feature: who gets what, as JsonLogic.")
@click.option("--operation", "operations", multiple=True, help="An operation, at 0 %. Give it once for each.")
@click.option("--description", default="", help="What is moved, and why.")
@click.option("--owner", default="", help="Whom to ask.")
@click.option("-f", "--file", type=click.File("rb"), help="A whole flag as JSON; - reads standard input.")
@reason_option
@on_the_plane
def create(
    plane: Plane,
    key: str | None,
    file: BinaryIO | None,
    reason: str,
    operations: tuple[str, ...],
    **options: Any,  # noqa: ANN401 - as click has them
) -> Told:
    """Create a flag, disabled and at 0 %: from options, or from a file."""
    if (key is None) == (file is None):
        raise click.UsageError("give either a key with --baseline and --candidate, or --file")
    at_zero = {name: {"percent": 0} for name in operations}
    document = read_object(file.read()) if file else {"key": key, **definition(options), "operations": at_zero}
    new = plane.create_flag(document, reason)
    return Told(new, described(new))


@flag.command()
@click.argument("key")
@reason_option
@on_the_plane
def enable(plane: Plane, key: str, reason: str) -> Told:
    """Let the shares and rules of a flag take effect."""
    changed = plane.enable(key, reason)
    return Told(changed, f"{key} is enabled.")


@flag.command()
@click.argument("key")
@reason_option
@on_the_plane
def disable(plane: Plane, key: str, reason: str) -> Told:
    """The kill switch: every call goes to the baseline."""
    changed = plane.disable(key, reason)
    done = f"{key} is disabled: {goes_to(changed)}."
    return Told(changed, "\n".join([done, *_data(changed["rollout"])]))


@flag.command()
@click.argument("key")
@click.argument("operation")
@click.argument("percent", type=float)
@click.option("--new", is_flag=True, help="The operation may be a new one.")
@reason_option
@on_the_plane
def share(plane: Plane, key: str, operation: str, percent: float, new: bool, reason: str) -> Told:
    """Send PERCENT of the keys of an operation to the candidate: `share dspex-bridge simple_predict 5`."""
    if not new and operation not in plane.show_flag(key)["operations"]:
        message = f"flag '{key}' has no operation '{operation}': add --new to make it one"
        raise NotFound(message)
    changed = plane.set_percent(key, operation, percent, reason)
    return Told(changed, f"{operation}: {changed['operations'][operation]['percent']} % to {changed['candidate']}.")


@flag.command()
@click.argument("key")
@click.option("--operation", help="This operation alone.")
@reason_option
@on_the_plane
def rollback(plane: Plane, key: str, operation: str | None, reason: str) -> Told:
    """Send every call to the baseline at once, until a rollout is started or the flag is unlocked."""
    changed = plane.act(key, "rollback", reason, operation)
    return Told(changed, f"{operation or key} is rolled back: {goes_to(changed)}.")


flag.add_command(convergence)
flag.add_command(target)


def described(found: dict[str, Any]) -> str:
    """A flag in a few lines."""
    rollout = found["rollout"]
    lines = [
        f"{found['key']}  {served(found)}  {_state(found)}  version {found['version']}",
        *variant_lines(found),
        *(f"  {name:<24} {each['percent']} %" for name, each in found["operations"].items()),
        f"  rollout: {rollout['state']}, stage {rollout['stage'] + 1} of {rollout['stages']}"
        if rollout["stages"]
        else "  rollout: no plan",
    ]
    lines += [f"  {rollout['waiting_for']}"] if rollout["waiting_for"] else []
    lines += _data(rollout)
    return "\n".join([*lines, *(f"  ! {warning}" for warning in rollout["warnings"])])


def _data(rollout: dict[str, Any]) -> list[str]:
    """Where the data stand and what a way back would cost; nothing for a plan that moves none."""
    if "phase" not in rollout:
        return []
    lines = [f"  phase: {rollout['phase'].replace('_', ' ')}"]
    if missing := rollout["backlog"]:
        lines.append(
            f"  missing writes: {missing['baseline']} at the baseline, {missing['candidate']} at the candidate"
        )
    return [*lines, f"  {rollout['way_back']}"] if rollout["way_back"] else lines


def _state(found: dict[str, Any]) -> str:
    if found["archived_at"]:
        return "archived"
    if found["rollout"]["rolled_back"]:
        return "rolled back"
    return "enabled" if found["enabled"] else "disabled"
