"""Spreading news: each entry of the audit log becomes a delivery for each webhook that wants to know of it.

The audit log is the outbox. An entry is there if and only if its change is, and a cursor says up to where the log was
looked through: so nothing is told that was taken back, and nothing is left out, whatever crashes. And no change waits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.audit import AuditEntry
from controlplane.domain.delivery import Delivery, event_id
from controlplane.domain.errors import NotFound
from controlplane.domain.webhook import Webhook
from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.store.lease import Lease

AT_ONCE = 200  # entries that are looked at in one transaction


@dataclass(frozen=True, slots=True)
class _News:
    """One entry, and where it was written."""

    environment: Environment
    entry: AuditEntry
    tags: Collection[str]


def spread(store: Store, lease: Lease, now: datetime) -> int:
    """Look through what is new of every environment's log; how many deliveries came of it. Raises LeaseLost."""
    made = 0
    for environment in _behind(store):
        with store.writing() as uow:
            uow.leases.check(lease)
            made += _go_on(uow, environment, now)
            uow.commit()
    return made


def _behind(store: Store) -> list[Environment]:
    """Environments whose log has grown; none where nobody wants to be told, so that it costs nothing."""
    with store.reading() as uow:
        if not uow.webhooks.any():
            return []
        cursors = uow.webhooks.cursors()
        return [each for each in uow.environments.all() if each.audit_length > cursors.get(each.id, 0)]


def catch_up(uow: UnitOfWork, now: datetime) -> None:
    """Everything that was written until now is for the webhooks as they are before a change to them."""
    nobody = not uow.webhooks.any()
    for environment in uow.environments.all():
        if nobody:
            uow.webhooks.cursor(environment.id)
            uow.webhooks.set_cursor(environment.id, environment.audit_length)
            continue
        while _go_on(uow, environment, now, whole=True):
            pass


def skip_to_the_end(uow: UnitOfWork, because: str) -> None:
    """Nothing of what was written until now is told any more."""
    for environment in uow.environments.all():
        uow.webhooks.cursor(environment.id)
        uow.webhooks.set_cursor(environment.id, environment.audit_length)
    uow.deliveries.drop(because)


def _go_on(uow: UnitOfWork, environment: Environment, now: datetime, *, whole: bool = False) -> int:
    """Some entries more: how many deliveries came of them, or with `whole` how many entries there were."""
    cursor = uow.webhooks.cursor(environment.id)
    webhooks = [each for each in uow.webhooks.all() if each.wanted.enabled]
    entries = uow.audit.after(environment.id, cursor, AT_ONCE)
    if not entries:
        return 0
    tagged = any(each.wanted.selection.tags for each in webhooks)
    news = [_News(environment, entry, _tags(uow, environment, entry) if tagged else ()) for entry in entries]
    new = [made for each in news for made in _deliveries(each, webhooks, now)]
    uow.deliveries.add(environment.id, new)
    uow.webhooks.set_cursor(environment.id, entries[-1].id)
    return len(entries) if whole else len(new)


def _tags(uow: UnitOfWork, environment: Environment, entry: AuditEntry) -> Collection[str]:
    try:
        return uow.flags.get(environment.id, entry.flag).tags if entry.flag else ()
    except NotFound:
        return ()


def _deliveries(news: _News, webhooks: Sequence[Webhook], now: datetime) -> list[Delivery]:
    entry, here = news.entry, news.environment.name
    wanting = [each for each in webhooks if each.wanted.selection.wants(here, entry.action, entry.flag, news.tags)]
    return [delivery_of(news.environment, entry, each.id, now) for each in wanting]


def delivery_of(environment: Environment, entry: AuditEntry, webhook: int, now: datetime) -> Delivery:
    """A new delivery of an entry, to be tried at once."""
    return Delivery(
        id=0,
        webhook=webhook,
        environment=environment.name,
        entry=entry.id,
        event=event_id(environment.source, entry.id),
        action=entry.action.value,
        flag=entry.flag,
        created_at=now,
        next_at=now,
    )
