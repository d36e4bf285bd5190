"""Webhook: an endpoint of somebody else's that is told what happens, and which events it is told."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controlplane.domain.access import EVERYWHERE
from controlplane.domain.audit import Action
from controlplane.domain.errors import FieldError, InvalidInput

FAILS_FOR = timedelta(days=3)  # without one success: then it is disabled
LONGEST_OVERLAP = timedelta(days=30)
MOST = 100  # names in one list of a selection
UNTOLD = frozenset({Action.WEBHOOK_TEST})  # sent to the one webhook that it is a test of, whatever that selects
GONE = 410


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: of these environments (`*` is all), of these flags or tags (neither: any), with these actions.

    An action is spelled out (`rollout:roll_back`), or stands for all of a subject (`rollout:*`), or for all (`*`).
    """

    environments: tuple[str, ...] = (EVERYWHERE,)
    flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("*",)

    def wants(self, environment: str, action: Action, flag: str | None, tags: Collection[str] = ()) -> bool:
        """Whether an event is selected. What is about no flag is left out where flags or tags are named."""
        if action in UNTOLD or not {environment, EVERYWHERE} & set(self.environments):
            return False
        if not {action.value, f"{_subject(action)}:*", "*"} & set(self.actions):
            return False
        return not (self.flags or self.tags) or flag in self.flags or bool(set(self.tags) & set(tags))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A webhook as somebody wants it. `url` may hold what opens the endpoint: it is shown to administrators only."""

    name: str
    url: str = field(repr=False)
    selection: Selection = Selection()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Webhook:
    """`secret` and `old_secret` are sealed. `failing_since`: its first failure after the last success.

    `disabled_because` is "" unless it was disabled by itself; `failures` counts in a row.
    """

    id: int
    wanted: Wanted
    secret: str = field(repr=False)
    created_at: datetime
    created_by: str
    old_secret: str | None = field(default=None, repr=False)
    old_secret_until: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    disabled_because: str = ""

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """What a message is signed with: the new secret, and until its time is over the old one as well."""
        old = self.old_secret if self.old_secret_until and now < self.old_secret_until else None
        return (self.secret, old) if old else (self.secret,)


def check(wanted: Wanted) -> None:
    """Raises InvalidInput. What is wrong with the address is told by `destination`."""
    errors = []
    if not wanted.name.strip():
        errors.append(FieldError("name", "is empty: say who is told"))
    if not wanted.selection.environments:
        errors.append(FieldError("environments", "is empty: name some, or * for all"))
    if not wanted.selection.actions:
        errors.append(FieldError("actions", "is empty: name some such as rollout:roll_back, or * for all"))
    errors.extend(_unknown_actions(wanted.selection))
    if errors:
        raise InvalidInput(tuple(errors))


def _unknown_actions(selection: Selection) -> Iterator[FieldError]:
    known = {"*", *(each.value for each in Action), *(f"{_subject(each)}:*" for each in Action)}
    for number, each in enumerate(selection.actions):
        if each not in known:
            yield FieldError(f"actions.{number}", "is no action: such as rollout:roll_back, rollout:* or *")


def succeeded(webhook: Webhook) -> Webhook:
    return replace(webhook, failing_since=None, failures=0)


def failed(webhook: Webhook, status: int | None, why: str, now: datetime) -> Webhook:
    """The webhook after a failed attempt; disabled when its endpoint says that it is gone, or has failed for days."""
    since = webhook.failing_since or now
    after = replace(webhook, failing_since=since, failures=webhook.failures + 1)
    if status == GONE:
        return _disabled(after, "its endpoint answered 410: it is gone")
    if now - since >= FAILS_FOR:
        return _disabled(after, f"every attempt has failed for {FAILS_FOR.days} days, the last one: {why}")
    return after


def _disabled(webhook: Webhook, because: str) -> Webhook:
    return replace(webhook, wanted=replace(webhook.wanted, enabled=False), disabled_because=because)


def revised(webhook: Webhook, wanted: Wanted) -> Webhook:
    """The webhook as it is wanted now. One that is enabled again, or moves, starts anew."""
    after = replace(webhook, wanted=wanted)
    if wanted.enabled and (not webhook.wanted.enabled or wanted.url != webhook.wanted.url):
        after = replace(succeeded(after), disabled_because="")
    return after


def rotated(webhook: Webhook, secret: str, now: datetime, overlap: timedelta) -> Webhook:
    """A new secret; the one before it goes on for as long as the overlap lasts, and any older one ends now."""
    if overlap <= timedelta():
        return replace(webhook, secret=secret, old_secret=None, old_secret_until=None)
    return replace(webhook, secret=secret, old_secret=webhook.secret, old_secret_until=now + overlap)


def _subject(action: Action) -> str:
    return action.value.partition(":")[0]
