"""Polls: a process that polls and never reports is known all the same, with the version it has in hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.store import Store, UnitOfWork
from controlplane.store.environments import Environment
from controlplane.store.instances import NEVER, Instance

FRESH = timedelta(seconds=10)  # what was heard so lately, with the same version, is not written again


@dataclass(frozen=True, slots=True)
class Poll:
    """Who polled last when. `source` and `version` are of the snapshot it holds; empty and 0 where it holds none."""

    environment: str
    instance: str
    service: str
    sdk: str
    source: str
    version: int
    at: datetime


def note_polls(store: Store, polls: Sequence[Poll]) -> None:
    """Durable when this returns. What a newer report says stays; a poll without a version changes none."""
    with store.writing() as uow:
        known = {each.name: each for each in uow.environments.all()}
        for name in sorted({each.environment for each in polls} & known.keys()):
            _note(uow, known[name], {each.instance: each for each in polls if each.environment == name})
        uow.commit()


def _note(uow: UnitOfWork, environment: Environment, polls: dict[str, Poll]) -> None:
    before = uow.instances.named(environment.id, polls)
    changed = {name: _after(each, polls[name]) for name, each in before.items()}
    uow.instances.add(environment.id, [_new(polls[name]) for name in polls.keys() - before.keys()])
    uow.instances.save(environment.id, [each for name, each in changed.items() if each is not before[name]])


def _after(before: Instance, poll: Poll) -> Instance:
    obeys = (poll.source, poll.version) if poll.source else (before.source, before.version)
    is_same = obeys == (before.source, before.version)
    if poll.at <= before.last_seen_at or (is_same and poll.at - before.last_seen_at < FRESH):
        return before
    return replace(before, source=obeys[0], version=obeys[1], last_seen_at=poll.at)


def _new(poll: Poll) -> Instance:
    return Instance(poll.instance, poll.service, poll.sdk, NEVER, poll.source, poll.version, poll.at, poll.at)
