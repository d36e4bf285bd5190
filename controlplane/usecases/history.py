"""History: reading the audit log, and proving that nobody rewrote it."""

from dataclasses import dataclass

from controlplane.domain.audit import AuditEntry, Break, first_break
from controlplane.domain.errors import NotFound
from controlplane.store import Store
from controlplane.store.audit import Filter

__all__ = ["Filter", "Page", "Verification", "every_entry", "get_entry", "list_entries", "verify"]


EVERY = 2**31 - 1


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


def every_entry(store: Store, environment: str, wanted: Filter) -> list[AuditEntry]:
    """All that match, the newest first: for an export."""
    with store.reading() as uow:
        return uow.audit.newest(uow.environments.get(environment).id, wanted, EVERY)


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
