"""Snapshots: what services poll."""

from dataclasses import dataclass
from typing import Any

from controlplane.domain.snapshot import Clockwork, compile_snapshot
from controlplane.store import Store


@dataclass(frozen=True, slots=True)
class Version:
    """The identity of a snapshot: versions are comparable within one source only."""

    environment: str
    source: str
    version: int


def current_versions(store: Store) -> list[Version]:
    """Cheap: one row an environment."""
    with store.reading() as uow:
        return [Version(each.name, each.source, each.version) for each in uow.environments.all()]


def current_snapshot(store: Store, environment: str, clockwork: Clockwork) -> dict[str, Any]:
    """The document of docs/protocol.md. Raises NotFound."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        return compile_snapshot(row.name, row.source, row.version, uow.flags.answering(row.id), clockwork)
