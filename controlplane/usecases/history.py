"""History: reading the audit log, and proving that nobody rewrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from controlplane.domain.audit import AuditEntry, Break, first_break
from controlplane.domain.errors import NotFound
from controlplane.store import Store
from controlplane.store.audit import Filter, Move
from controlplane.usecases.changing import Place

__all__ = [
    "Filter",
    "Move",
    "Page",
    "Verification",
    "export_entries",
    "get_entry",
    "list_entries",
    "moves_of_attempt",
    "verify",
]

MOST_MOVES = 300
PAGE = 500  # entries of an export that are in memory at a time


@dataclass(frozen=True, slots=True)
class Page:
    """Entries from the newest backwards; `next` continues with `Filter.before`, None at the end."""

    items: tuple[AuditEntry, ...]
    next: int | None


def list_entries(store: Store, environment: str, wanted: Filter, limit: int = 50) -> Page:
    with store.reading() as uow:
        found = uow.audit.newest(uow.environments.get(environment).id, wanted, limit + 1)
    more = len(found) > limit
    items = tuple(found[:limit])
    return Page(items, items[-1].id if more else None)


def moves_of_attempt(store: Store, place: Place) -> list[Move]:
    """What a rollout did in its newest attempt, the oldest first; nothing before a start. Raises NotFound."""
    with store.reading() as uow:
        return uow.audit.moves(uow.environments.get(place.environment).id, place.flag, MOST_MOVES)


def export_entries(store: Store, environment: str, wanted: Filter) -> Iterator[tuple[AuditEntry, ...]]:
    """All that match, the newest first, a page at a time: an export of years holds no transaction and little memory.

    What is written meanwhile has a higher number than the first page, and is not among them. Raises NotFound at once.
    """
    return _pages(store, environment, wanted, list_entries(store, environment, wanted, PAGE))


def _pages(store: Store, environment: str, wanted: Filter, page: Page) -> Iterator[tuple[AuditEntry, ...]]:
    while True:
        yield page.items
        if page.next is None:
            return
        page = list_entries(store, environment, replace(wanted, before=page.next), PAGE)


def get_entry(store: Store, environment: str, number: int) -> AuditEntry:
    """Raises NotFound."""
    with store.reading() as uow:
        found = uow.audit.get(uow.environments.get(environment).id, number)
    if found is None:
        message = f"there is no entry {number} in the audit log of {environment}"
        raise NotFound(message)
    return found


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken` None means that the chain of `length` entries is intact up to `head`."""

    environment: str
    length: int
    head: str
    broken: Break | None


def verify(store: Store, environment: str) -> Verification:
    """Recompute the whole chain of an environment."""
    with store.reading() as uow:
        row = uow.environments.get(environment)
        entries = list(uow.audit.chain(row.id))
    broken = first_break(entries, environment, head=row.audit_head, length=row.audit_length)
    return Verification(environment, row.audit_length, row.audit_head, broken)
