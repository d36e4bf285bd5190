"""Another definition for a flag: its history stays, and nobody changes what a rollout is being decided on."""

import json
from dataclasses import replace

from controlplane.domain.errors import FieldError, InvalidInput, Refused
from controlplane.domain.flag import Flag, Operation
from controlplane.domain.rollout import State


def redefined(flag: Flag, wanted: Flag) -> Flag:
    """The flag with another definition and its own history. Refuses another kind, or what a rollout forbids."""
    if wanted.kind is not flag.kind:
        raise InvalidInput((FieldError("kind", another_kind(flag.key, wanted.kind, flag.kind)),))
    operations = {
        name: replace(each, rolled_back=flag.operations[name].rolled_back if name in flag.operations else False)
        for name, each in wanted.operations.items()
    }
    after = replace(
        wanted,
        operations=operations,
        version=flag.version,
        rolled_back=flag.rolled_back,
        rollout=flag.rollout,
        blocked_by=flag.blocked_by,
        created_at=flag.created_at,
        updated_at=flag.updated_at,
        archived_at=flag.archived_at,
        retired_at=flag.retired_at,
    )
    _respect_rollout(flag, after)
    return after


def another_kind(key: str, wanted: str, kind: str) -> str:
    """Why a flag does not become one of another kind: its history would tell of two things."""
    return f"is {wanted}, and '{key}' is a {kind}: a kind cannot be changed, make a new flag"


def _changed_values(before: Flag, after: Flag) -> list[str]:
    """The sides of a feature that are not what they were; true is not 1."""
    if before.feature is None or after.feature is None:
        return []
    old, new = before.feature.variants, after.feature.variants
    sides = (before.baseline, before.candidate)
    return [side for side in sides if json.dumps(old.get(side)) != json.dumps(new.get(side))]


def _of_the_plan(flag: Flag, old: Operation | None, new: Operation | None) -> str | None:
    """What somebody would change of an operation although the running plan sets it."""
    if (old.share if old else None) != (new.share if new else None):
        return "percent"
    sets_modes = flag.plan is not None and flag.plan.sets_modes
    return "mode" if sets_modes and old and new and old.mode is not new.mode else None


def _respect_rollout(before: Flag, after: Flag) -> None:
    if before.rollout.state is State.RUNNING:
        _respect_running(before, after)
    if not before.rollout.is_live:
        return
    if after.plan is None:
        message = f"a rollout of '{before.key}' is paused on this plan: abort it before taking the plan away"
        raise Refused(message)
    if (before.baseline, before.candidate) != (after.baseline, after.candidate):
        error = FieldError("candidate", "cannot change while a rollout is carried out: abort it first")
        raise InvalidInput((error,))
    if changed := _changed_values(before, after):
        message = "cannot change while a rollout is carried out, which is decided on what it was: abort it first"
        raise InvalidInput(tuple(FieldError(f"variants.{name}", message) for name in changed))


def _respect_running(before: Flag, after: Flag) -> None:
    for name in dict.fromkeys((*before.planned_operations, *after.planned_operations)):
        old, new = before.operations.get(name), after.operations.get(name)
        if what := _of_the_plan(before, old, new):
            message = f"a rollout of '{before.key}' is running and sets the {what} of '{name}': pause it first"
            raise Refused(message)
    if before.plan != after.plan:
        message = f"a rollout of '{before.key}' is running on this plan: pause it first"
        raise Refused(message)
