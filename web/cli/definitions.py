"""`throwbar export` and `throwbar apply`: the flags of an environment as a file that is kept under version control."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from controlplane.documents.flag import definition_of, flag_document, parse_flag
from controlplane.documents.reading import read_object
from controlplane.domain.audit import differences
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag_rules import check
from controlplane.usecases.redefining import another_kind
from web.cli.plane import Answer, Plane
from web.cli.reaching import Told, columns, on_the_plane, reason_option

SCHEMA = 1
MOVED = ("percent", "mode", "shadow_percent")  # by rollouts, and by people at the pages
CREATED, CHANGED, SAME = "created", "changed", "as it is"


@click.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="To this file.")
@on_the_plane
def export(plane: Plane, output: Path | None) -> Told:
    """Write every flag that is not archived, by its key, as `apply` reads it."""
    found = sorted(plane.list_flags(archived=False), key=lambda flag: str(flag["key"]))
    document = {"schema": SCHEMA, "flags": [_defined(each) for each in found]}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if output is None:
        return Told(document, text)
    output.write_text(text + "\n", encoding="utf-8")
    return Told(document, f"{output}: {len(found)} flags.")


@click.command("apply")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Tell what would change, and change nothing.")
@click.option("--percents", is_flag=True, help="Percents and modes of operations that there are, too.")
@reason_option
@on_the_plane
def apply(plane: Plane, file: BinaryIO, dry_run: bool, percents: bool, reason: str) -> Told:
    """Create the flags of FILE that are not there, and change those that are different; - reads standard input.

    A flag that FILE does not have stays as it is. So do percents and modes of operations that there are, since rollouts
    move them. Nothing is changed when any flag of FILE cannot be accepted; a flag that the control plane refuses ends
    the command, and those before it stay changed: run it again.
    """
    wanted = _read(file.read())
    present = {each["key"]: _defined(each) for each in plane.list_flags(archived=False)}
    _same_kinds(wanted, present)
    done = [_applied(plane, each, present.get(each["key"]), reason, dry_run=dry_run, moved=percents) for each in wanted]
    rows: list[tuple[object, ...]] = [("flag", "would be" if dry_run else "was", "fields")]
    rows += [(each["flag"], each["outcome"], ", ".join(each["fields"])) for each in done]
    return Told({"dry_run": dry_run, "items": done}, columns(rows, "The file has no flags."))


def _same_kinds(wanted: Sequence[Answer], present: Mapping[str, Answer]) -> None:
    """What would be refused whenever it is tried is told before anything is. Raises InvalidInput."""
    wrong = [
        FieldError(f"flags.{number}.kind", another_kind(each["key"], each["kind"], present[each["key"]]["kind"]))
        for number, each in enumerate(wanted)
        if each["key"] in present and each["kind"] != present[each["key"]]["kind"]
    ]
    if wrong:
        raise InvalidInput(tuple(wrong))


def _applied(
    plane: Plane, wanted: Answer, before: Answer | None, reason: str, *, dry_run: bool, moved: bool
) -> dict[str, Any]:
    key = wanted["key"]
    if before is None:
        if not dry_run:
            plane.create_flag(wanted, reason)
        return {"flag": key, "outcome": CREATED, "fields": []}
    after = wanted if moved else _where_it_stands(wanted, before)
    fields = [change.path for change in differences(before, after)]
    if fields and not dry_run:
        plane.replace_flag(key, after, reason)
    return {"flag": key, "outcome": CHANGED if fields else SAME, "fields": fields}


def _where_it_stands(wanted: Answer, before: Answer) -> Answer:
    """As wanted, with what was moved since it was written down."""
    there: Mapping[str, Answer] = before["operations"]
    operations = {
        name: _laid_over(each, there[name]) if name in there else each for name, each in wanted["operations"].items()
    }
    return {**wanted, "operations": operations}


def _laid_over(operation: Answer, there: Answer) -> Answer:
    kept = {name: there[name] for name in MOVED if name in there}
    return {**{name: value for name, value in operation.items() if name not in MOVED}, **kept}


def _read(content: bytes) -> list[Answer]:
    """The flags in full, as an export would have them. Raises InvalidInput with every wrong field of all of them."""
    document = read_object(content)
    if document.get("schema") != SCHEMA or not isinstance(document.get("flags"), list):
        raise InvalidInput((FieldError("schema", f'must be {SCHEMA}, beside "flags": [{{…}}, …]'),))
    wrong: list[FieldError] = []
    flags = [flag for number, each in enumerate(document["flags"]) for flag in _parsed(each, number, wrong)]
    if len({flag["key"] for flag in flags}) < len(flags):
        wrong.append(FieldError("flags", "must not name a key twice"))
    if wrong:
        raise InvalidInput(tuple(wrong))
    return flags


def _parsed(document: Any, number: int, wrong: list[FieldError]) -> Iterator[Answer]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(document, dict):
        wrong.append(FieldError(f"flags.{number}", "must be an object"))
        return
    try:
        flag = parse_flag(document)
        check(flag)
        yield flag_document(flag)
    except InvalidInput as error:
        wrong += [FieldError(f"flags.{number}.{each.field}", each.message) for each in error.errors]


def _defined(listed: Answer) -> Answer:
    """A list also tells how a flag fares, which is no part of what it is."""
    return flag_document(parse_flag(definition_of(listed)))
