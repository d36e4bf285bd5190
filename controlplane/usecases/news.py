"""News: has anything changed since a process last looked? Cheap enough to be asked ten times a second."""

from dataclasses import dataclass

from controlplane.store import Store
from controlplane.usecases.snapshots import Version
from controlplane.usecases.tokens import CHANGED


@dataclass(frozen=True, slots=True)
class News:
    """The newest snapshot version of each environment, and a number that grows with every change to a token."""

    versions: tuple[Version, ...]
    tokens: int


def read_news(store: Store) -> News:
    """One row an environment and one counter."""
    with store.reading() as uow:
        versions = tuple(Version(each.name, each.source, each.version) for each in uow.environments.all())
        return News(versions, uow.counters.get(CHANGED))
