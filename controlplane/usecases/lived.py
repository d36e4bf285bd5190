"""Lived: a flag as it was at every instant, from its versions and its audit entries."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.documents.state import state_document, with_state
from controlplane.domain.errors import NotFound
from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State
from controlplane.store import UnitOfWork
from controlplane.store.audit import Filter

MOST_ENTRIES = 1000
_STATE = ("rolled_back", "rolled_back_operations", "rollout")


def versions_of(uow: UnitOfWork, environment_id: int, flag: Flag) -> list[tuple[datetime, Flag]]:
    """(since when, flag with its state) of its newest thousand changes, the oldest first."""
    found = uow.audit.newest(environment_id, Filter(flag=flag.key), MOST_ENTRIES)
    state: dict[str, Any] = state_document(flag)
    lived = []
    for entry in reversed(found):
        if entry.version is None or not entry.changes:
            continue
        for change in entry.changes:
            state = _changed(state, change.path, change.after)
        if definition := _definition(uow, environment_id, flag.key, entry.version):
            known = replace(with_state(definition, state), version=entry.version, updated_at=entry.at)
            lived.append((entry.at, known))
    return lived


def _changed(state: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    """The state after one audited change; paths of the definition are passed over."""
    head, _, rest = path.partition(".")
    if head not in _STATE or (rest and "." in rest):
        return dict(state)
    return {**state, head: {**state[head], rest: value} if rest else value}


def _definition(uow: UnitOfWork, environment_id: int, key: str, version: int) -> Flag | None:
    try:
        return uow.flags.definition_at(environment_id, key, version)
    except NotFound:
        return None


def as_of(lived: list[tuple[datetime, Flag]], at: datetime) -> Flag | None:
    """The flag as it was just before an instant; None before the first one that is known."""
    return next((flag for since, flag in reversed(lived) if since < at), None)


def looked_at(before: Flag | None, flag: Flag, at: datetime) -> list[tuple[Flag, datetime]]:
    """The flag at a look; first as it was when it left its stage, where that was since the look before.

    A scheduler that looks more often moves on between two looks, and then neither of them finds a stage that has baked.
    """
    left = flag.rollout.entered_at
    if before is None or left is None or before.rollout.attempt != flag.rollout.attempt:
        return [(flag, at)]
    moved_on = before.rollout.state is State.RUNNING and flag.rollout.state in {State.RUNNING, State.COMPLETED}
    has_left = moved_on and left != before.rollout.entered_at
    return [(replace(before, guardrails=flag.guardrails), left), (flag, at)] if has_left else [(flag, at)]
