"""What administrators do with webhooks: make, change and delete them, give them a new secret, test them, send again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from controlplane.domain.access import EVERYWHERE
from controlplane.domain.audit import Action, AuditEntry, Change, differences
from controlplane.domain.delivery import Delivery, State
from controlplane.domain.destination import Allowed, origin_of, why_not_url
from controlplane.domain.errors import FieldError, InvalidInput, Refused
from controlplane.domain.webhook import LONGEST_OVERLAP, Wanted, Webhook, check, revised, rotated
from controlplane.store import Store, UnitOfWork
from controlplane.usecases.changing import Cause
from controlplane.usecases.recording import hold_log, record
from controlplane.usecases.sealing import Seal
from controlplane.usecases.secrets import signing_secret
from controlplane.usecases.spreading import catch_up, delivery_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries from the newest backwards; `next` continues with `before`, None at the end."""

    items: tuple[Delivery, ...]
    next: int | None


def list_webhooks(store: Store) -> list[Webhook]:
    """By id."""
    with store.reading() as uow:
        return uow.webhooks.all()


def needing_somebody(store: Store) -> list[Webhook]:
    """Those that were disabled by themselves, and that nobody has enabled since."""
    return [each for each in list_webhooks(store) if each.disabled_because]


def get_webhook(store: Store, number: int) -> Webhook:
    """Raises NotFound."""
    with store.reading() as uow:
        return uow.webhooks.get(number)


def create_webhook(store: Store, wanted: Wanted, seal: Seal, allowed: Allowed, cause: Cause) -> tuple[Webhook, str]:
    """The webhook, told what happens from now on, and its secret, which is shown this once. Raises InvalidInput."""
    _check(wanted, allowed)
    secret = signing_secret()
    with store.writing() as uow:
        hold_log(uow)
        _check_here(uow, wanted)
        record(uow, EVERYWHERE, cause, Action.WEBHOOK_CREATE, *differences({}, _told(wanted)))
        catch_up(uow, cause.at)
        new = uow.webhooks.add(Webhook(0, wanted, seal.close(secret), cause.at, cause.actor.name))
        uow.commit()
    return new, secret


def replace_webhook(store: Store, number: int, wanted: Wanted, allowed: Allowed, cause: Cause) -> Webhook:
    """As wanted from now on; what is on its way goes on, unless it is disabled. Raises NotFound, InvalidInput."""
    _check(wanted, allowed)
    with store.writing() as uow:
        hold_log(uow)
        before = uow.webhooks.get(number)
        if before.wanted == wanted:
            return before
        _check_here(uow, wanted, before)
        brake = before.wanted.enabled and not wanted.enabled
        record(uow, EVERYWHERE, cause, Action.WEBHOOK_SET, *_changes(before.wanted, wanted), brake=brake)
        catch_up(uow, cause.at)
        after = revised(uow.webhooks.get(number, lock=True), wanted)
        uow.webhooks.save(after)
        if not wanted.enabled:
            uow.deliveries.drop(f"the webhook was disabled by {cause.actor.name}", number)
        uow.commit()
    return after


def delete_webhook(store: Store, number: int, cause: Cause) -> Webhook:
    """It is told nothing more, and its log is gone. Raises NotFound."""
    with store.writing() as uow:
        hold_log(uow)
        old = uow.webhooks.get(number)
        record(uow, EVERYWHERE, cause, Action.WEBHOOK_DELETE, *differences(_told(old.wanted), {}), brake=True)
        catch_up(uow, cause.at)
        uow.webhooks.get(number, lock=True)
        uow.webhooks.remove(number)
        uow.commit()
    return old


def rotate_secret(store: Store, number: int, overlap: timedelta, seal: Seal, cause: Cause) -> tuple[Webhook, str]:
    """A new secret, shown this once; messages carry both signatures until the overlap is over.

    Raises NotFound, InvalidInput.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        most = int(LONGEST_OVERLAP.total_seconds() / 3_600)
        raise InvalidInput((FieldError("overlap_hours", f"must be between 0 and {most}"),))
    secret = signing_secret()
    with store.writing() as uow:
        hold_log(uow)
        name = uow.webhooks.get(number).wanted.name
        changes = (Change("name", name, name), Change("overlap_hours", None, overlap.total_seconds() / 3_600))
        record(uow, EVERYWHERE, cause, Action.WEBHOOK_ROTATE, *changes, brake=True)  # a leak waits for no sentence
        after = rotated(uow.webhooks.get(number, lock=True), seal.close(secret), cause.at, overlap)
        uow.webhooks.save(after)
        uow.commit()
    return after, secret


def send_test(store: Store, number: int, cause: Cause) -> Delivery:
    """An event like any other, about the test itself, for this webhook alone. Raises NotFound, Refused."""
    with store.writing() as uow:
        hold_log(uow)
        webhook = uow.webhooks.get(number)
        _want_enabled(webhook)
        change = Change("name", webhook.wanted.name, webhook.wanted.name)
        entry = record(uow, None, cause, Action.WEBHOOK_TEST, change)
        made = _send(uow, webhook, entry, uow.environments.all()[0].name, cause)
        uow.commit()
    return made


def list_deliveries(
    store: Store, number: int, state: State | None = None, before: int | None = None, limit: int = PAGE
) -> Page:
    """The log of one webhook. Raises NotFound."""
    with store.reading() as uow:
        found = uow.deliveries.newest(uow.webhooks.get(number).id, limit + 1, state=state, before=before)
    items = tuple(found[:limit])
    return Page(items, items[-1].id if len(found) > limit else None)


def get_delivery(store: Store, number: int, delivery_id: int) -> Delivery:
    """Raises NotFound."""
    with store.reading() as uow:
        return uow.deliveries.get(uow.webhooks.get(number).id, delivery_id)


def redeliver(store: Store, number: int, delivery_id: int, cause: Cause) -> Delivery:
    """The same event once more, under the same webhook-id, as a delivery of its own. Raises NotFound, Refused."""
    with store.writing() as uow:
        hold_log(uow)
        webhook = uow.webhooks.get(number)
        _want_enabled(webhook)
        old = uow.deliveries.get(number, delivery_id)
        if old.state is State.PENDING:
            message = f"delivery {delivery_id} is still on its way: it is tried again by itself"
            raise Refused(message)
        name = Change("name", webhook.wanted.name, webhook.wanted.name)
        record(uow, None, cause, Action.WEBHOOK_REDELIVER, name, Change("event", None, old.event))
        entry = uow.audit.get(uow.environments.get(old.environment).id, old.entry)
        if entry is None:
            message = f"the audit log of {old.environment} has no entry {old.entry} any more"
            raise Refused(message)
        made = _send(uow, webhook, entry, old.environment, cause, old.event)
        uow.commit()
    return made


def _send(
    uow: UnitOfWork, webhook: Webhook, entry: AuditEntry, environment: str, cause: Cause, event: str = ""
) -> Delivery:
    row = uow.environments.get(environment)
    new = delivery_of(row, entry, webhook.id, cause.at)
    uow.deliveries.add(row.id, [replace(new, event=event or new.event)])
    return uow.deliveries.newest(webhook.id, 1)[0]


def _want_enabled(webhook: Webhook) -> None:
    if not webhook.wanted.enabled:
        message = f"webhook '{webhook.wanted.name}' is disabled: enable it first"
        raise Refused(message)


def _check(wanted: Wanted, allowed: Allowed) -> None:
    check(wanted)
    if wrong := why_not_url(wanted.url, allowed):
        raise InvalidInput((FieldError("url", wrong),))


def _check_here(uow: UnitOfWork, wanted: Wanted, before: Webhook | None = None) -> None:
    """What only the others can tell. One that shares its name already keeps it."""
    errors = _unknown_environments(uow, wanted)
    if before is None or wanted.name != before.wanted.name:
        same = next((each.id for each in uow.webhooks.all() if each.wanted.name == wanted.name), None)
        if same is not None:
            errors.append(FieldError("name", f"is the name of webhook {same}: give this one another"))
    if errors:
        raise InvalidInput(tuple(errors))


def _unknown_environments(uow: UnitOfWork, wanted: Wanted) -> list[FieldError]:
    known = {EVERYWHERE, *(each.name for each in uow.environments.all())}
    return [
        FieldError(f"environments.{number}", f"there is no environment '{each}'")
        for number, each in enumerate(wanted.selection.environments)
        if each not in known
    ]


def _told(wanted: Wanted) -> dict[str, Any]:
    """What the audit log may know: of the address, whose it is."""
    chosen = wanted.selection
    return {
        "name": wanted.name,
        "url": f"{origin_of(wanted.url)}/…",
        "environments": list(chosen.environments),
        "flags": list(chosen.flags),
        "tags": list(chosen.tags),
        "actions": list(chosen.actions),
        "enabled": wanted.enabled,
    }


def _changes(before: Wanted, after: Wanted) -> Iterator[Change]:
    old, new = _told(before), _told(after)
    yield Change("name", old.pop("name"), new.pop("name"))  # also where it stays: it says which one was changed
    yield from differences(old, new)
    if before.url != after.url and old["url"] == new["url"]:
        yield Change("url", old["url"], f"{new['url']}, another path")
