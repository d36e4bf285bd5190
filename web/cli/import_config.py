"""`throwbar import-config`: a migration that was steered by a configuration file becomes a flag."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from controlplane.documents.migration_config import Imported, Names, read_migration_config
from controlplane.documents.reading import read_object
from controlplane.domain.errors import Malformed
from web.cli.flag import described
from web.cli.plane import Plane
from web.cli.reaching import Told, on_the_plane, reason_option

_NAMES = Names()


@click.command("import-config")
@click.argument("file", type=click.File("rb"))
@click.option("--key", default=_NAMES.key, show_default=True, help="The flag's key.")
@click.option("--baseline", default=_NAMES.baseline, show_default=True, help="The backend that is trusted.")
@click.option("--candidate", default=_NAMES.candidate, show_default=True, help="The backend that is moved to.")
@click.option("--format", "form", type=click.Choice(["toml", "json"]), help="Default: by the name of the file.")
@click.option("--dry-run", is_flag=True, help="Show the flag, and create nothing.")
@reason_option
@on_the_plane
def import_config(plane: Plane, file: BinaryIO, form: str | None, dry_run: bool, reason: str, **names: str) -> Told:
    """Make the flag that equals the migration keys of FILE (TOML or JSON; - reads standard input)."""
    imported = read_migration_config(_config(file, form), Names(**names))
    if dry_run:
        return Told(dict(imported.document), _shown(imported))
    new = plane.create_flag(imported.document, reason or f"imported from {Path(file.name).name}")
    return Told(new, "\n".join([described(new), *_passed_over(imported)]))


def _config(file: BinaryIO, form: str | None) -> Mapping[str, Any]:
    text = file.read()
    if (form or Path(file.name).suffix.removeprefix(".").lower()) == "json":
        return read_object(text)
    try:
        return tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file.name} is not valid TOML: {error} (for JSON give --format json)"
        raise Malformed(message) from None


def _shown(imported: Imported) -> str:
    flag = imported.document
    limits = flag["guardrails"]
    lines = [
        f"{flag['key']}  {flag['baseline']} → {flag['candidate']}  {'enabled' if flag['enabled'] else 'disabled'}",
        *(f"  {name:<24} {each['percent']:g} %" for name, each in flag["operations"].items()),
        f"  errors at most {limits['max_error_rate'] * 100:g} %, p99 at most {limits['max_latency_ms']['p99']:g} ms",
        f"  on breach: {limits['on_breach']}",
        *(f"  switched off: {name}" for name, is_on in flag["switches"].items() if not is_on),
    ]
    return "\n".join([*lines, *_passed_over(imported), "Nothing was created."])


def _passed_over(imported: Imported) -> list[str]:
    return [f"  not about the migration, passed over: {path}" for path in imported.ignored]
