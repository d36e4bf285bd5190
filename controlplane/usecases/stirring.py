"""Stirring: what has changed in an environment that a page may show? Cheap, for a page that turns by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.store import Store


@dataclass(frozen=True, slots=True)
class Marks:
    """Something for each flag that differs once it, or what is known of its health, has changed; and the processes'."""

    flags: Mapping[str, str] = field(default_factory=dict)
    processes: str = ""


def read_marks(store: Store, environment: str) -> Marks:
    """Two columns a flag and one row for the processes. Raises NotFound."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        versions, looks = uow.flags.marks(row.id), uow.watches.looks(row.id)
        number, newest = uow.instances.on_version(row.id, row.source, row.version)
    marks = {flag: f"{version}/{looks.get(flag, '')}" for flag, version in versions.items()}
    return Marks(marks, f"{newest}/{number}/{row.version}")
