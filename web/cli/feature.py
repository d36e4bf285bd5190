"""A feature at the shell: its options, and its first line when it is shown."""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import click

from controlplane.documents.reading import read_object
from controlplane.domain.feature import Kind
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, on_the_plane, reason_option

SHORTENED = 60  # characters of a value
_OF_A_FEATURE = {
    "--variant": "variants",
    "--default-variant": "default_variant",
    "--targeting": "targeting",
}


@click.command()
@click.argument("key")
@click.argument("logic", required=False)
@click.option("-f", "--file", type=click.File("rb"), help="The JsonLogic; - reads standard input.")
@click.option("--none", is_flag=True, help="Nobody is targeted any more.")
@reason_option
@on_the_plane
def target(plane: Plane, key: str, logic: str | None, file: BinaryIO | None, none: bool, reason: str) -> Told:
    """Say who gets which variant of a feature: `target new-checkout '{"if": [{"var": "beta"}, "on", null]}'`."""
    if sum((logic is not None, file is not None, none)) != 1:
        raise click.UsageError("give either LOGIC, or --file, or --none")
    wanted = {} if none else read_object(file.read() if file else logic or "")
    changed = plane.set_targeting(key, wanted, reason)
    return Told(changed, "\n".join([f"{key}  {served(changed)}", *variant_lines(changed)]))


def definition(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options of `flag create` say a flag is, of either kind. Raises UsageError, InvalidInput."""
    texts = {name: options[name] for name in ("description", "owner")}
    sides = {name: options[name] for name in ("baseline", "candidate")}
    if options["kind"] == Kind.FEATURE:
        return {**texts, **_feature(options, sides)}
    for option, name in _OF_A_FEATURE.items():
        if options[name]:
            message = f"{option} is for features: add --kind feature"
            raise click.UsageError(message)
    for name, value in sides.items():
        if not value:
            message = f"--{name} is missing"
            raise click.UsageError(message)
    return {**texts, **sides}


def _feature(options: Mapping[str, Any], sides: Mapping[str, str | None]) -> dict[str, Any]:
    if not options["variants"]:
        raise click.UsageError("--variant is missing: give each as name=value, like --variant on=true")
    given = {**sides, "default_variant": options["default_variant"]}
    document = {name: value for name, value in given.items() if value}
    if options["targeting"]:
        document["targeting"] = read_object(options["targeting"])
    return {"kind": Kind.FEATURE.value, "variants": dict(map(_variant, options["variants"])), **document}


def _variant(given: str) -> tuple[str, Any]:
    """on=true, plan="pro", limit=10, colour=red: a value that is no JSON is text."""
    name, sign, value = given.partition("=")
    if not sign:
        message = f"--variant {given} has no value: write {given or 'on'}=true"
        raise click.UsageError(message)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def goes_to(found: Answer) -> str:
    """Where everything goes that nothing sends elsewhere: to a backend, or to a feature's default variant."""
    if found["kind"] == Kind.FEATURE:
        return f"everybody gets {found['default_variant']}"
    return f"every call goes to {found['baseline']}"


def served(found: Answer) -> str:
    """Its sides, or the variants of a feature that is not moved."""
    if "candidate" in found:
        return f"{found['baseline']} → {found['candidate']}"
    return f"{len(found['variants'])} variants, {found['default_variant']} by default"


def variant_lines(found: Mapping[str, Any]) -> list[str]:
    """The variants of a feature, one a line, and whether it is targeted; nothing for a migration."""
    if found["kind"] != Kind.FEATURE:
        return []
    lines = [f"  {name:<24} {_short(value)}" for name, value in found["variants"].items()]
    return [*lines, f"  targeting: {_short(found['targeting'])}" if found["targeting"] else "  targeting: none"]


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHORTENED else f"{text[: SHORTENED - 1]}…"
