"""Preview: how much would move if a flag were changed so? By the calls and the new keys of the last ten minutes.

A key that calls all day is new once, so calls say how much moves, and new keys how many are met by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.domain.arm import total
from controlplane.domain.errors import FieldError, InvalidInput, NotFound
from controlplane.domain.flag import Flag, effective_share, in_order, with_shares, with_stage, without_rollback
from controlplane.domain.retention import grain_for
from controlplane.domain.share import FULL, from_percent
from controlplane.domain.snapshot import Clockwork
from controlplane.domain.words import count
from controlplane.store import Store
from controlplane.usecases.changing import Place
from controlplane.usecases.planning import RESCUES

LOOKS_BACK = timedelta(minutes=10)
HOUR = 3600  # seconds
LEAST_SPAN = 60  # seconds: less than that says nothing about an hour


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour of an operation brings, on both sides together."""

    calls: float
    fresh_keys: float

    @property
    def words(self) -> str:
        return f"{_about(self.calls)} calls an hour, {_about(self.fresh_keys)} new keys."


@dataclass(frozen=True, slots=True)
class Preview:
    """A flag as it stands, and its traffic: operations of which nothing was measured are left out."""

    flag: Flag
    hours: Mapping[str, Hour]

    def of_percent(self, operation: str, percent: str) -> str:
        """What setting the percent of an operation by hand would move. Raises NotFound, InvalidInput."""
        if operation not in self.flag.operations:
            message = f"flag '{self.flag.key}' has no operation '{operation}'"
            raise NotFound(message)
        try:
            share = from_percent(percent.strip().replace(",", "."))
        except ValueError as error:
            raise InvalidInput((FieldError("percent", str(error)),)) from None
        one = replace(self.flag.operations[operation], share=share)
        return self.told(replace(self.flag, operations={**self.flag.operations, operation: one}))

    def of_verb(self, verb: str) -> str:
        """What a verb of the rollout would move at once; "" for one that moves nothing."""
        after = _after(self.flag, verb)
        return "" if after is None else self.told(after)

    def told(self, after: Flag) -> str:
        """One sentence about the way from this flag to that one."""
        moves = {name: effective_share(after, name) - effective_share(self.flag, name) for name in self.flag.operations}
        moves = {name: share for name, share in moves.items() if share}
        if not moves:
            return self._why_nothing(after)
        blank = [name for name in moves if name not in self.hours]
        if blank:
            what = " and ".join(blank) if len(blank) <= 3 else f"{len(blank)} operations"
            return f"How much moves is not known: nothing of {what} was measured in the last 10 minutes."
        there = self._moved({name: share for name, share in moves.items() if share > 0}, self.flag.candidate)
        back = self._moved({name: -share for name, share in moves.items() if share < 0}, f"back to {after.baseline}")
        return " ".join(each for each in (there, back) if each)

    def _why_nothing(self, after: Flag) -> str:
        if after.operations == self.flag.operations or (after.enabled and not after.rolled_back):
            return "Nothing moves at once."
        return f"Nothing moves: the flag is {'rolled back' if after.rolled_back else 'disabled'}."

    def _moved(self, shares: Mapping[str, int], where: str) -> str:
        if not shares:
            return ""
        calls = sum(self.hours[name].calls * share / FULL for name, share in shares.items())
        fresh = sum(self.hours[name].fresh_keys * share / FULL for name, share in shares.items())
        where = where if where.startswith("back") else f"to {where}"
        return (
            f"About {_about(calls)} calls an hour move {where}, from {_about(fresh)} new keys and those known before."
        )


def preview(store: Store, place: Place, now: datetime, clockwork: Clockwork) -> Preview:
    """Raises NotFound."""
    until = int(now.timestamp())
    first = until - int(LOOKS_BACK.total_seconds())
    grain = grain_for(LOOKS_BACK.total_seconds(), LOOKS_BACK, clockwork.retention)
    with store.reading() as uow:
        environment = uow.environments.get(place.environment)
        flag = uow.flags.get(environment.id, place.flag)
        cells = uow.buckets.seen(environment.id, flag.key, first, until, grain)
    served = [(where, arm) for where, arm in cells if where.assigned_by not in RESCUES]
    hours: dict[str, Hour] = {}
    for name in {where.operation for where, _ in served}:
        own = [(where.start, arm) for where, arm in served if where.operation == name]
        arm = total([each for _, each in own])
        scale = HOUR / max(LEAST_SPAN, until - min(start for start, _ in own))
        if arm.calls:
            hours[name] = Hour(arm.calls * scale, arm.fresh_keys * scale)
    return Preview(flag, hours)


def _after(flag: Flag, verb: str) -> Flag | None:
    """The flag once the verb is done, as far as its shares go; None for a verb that leaves them alone."""
    plan, stage = flag.plan, flag.rollout.stage
    if verb in {"enable", "disable"}:
        return replace(flag, enabled=verb == "enable")
    if verb == "rollback":
        return replace(with_shares(flag, 0, tuple(flag.operations)), rolled_back=True)
    if verb == "abort":
        return in_order(with_shares(flag, 0, flag.planned_operations))
    if verb == "finish":
        return with_shares(flag, FULL, flag.planned_operations)
    if plan is None or verb not in {"start", "resume", "advance", "step-back"}:
        return None
    number = {"start": 0, "resume": stage, "advance": stage + 1, "step-back": stage - 1}[verb]
    return with_stage(without_rollback(flag) if verb == "start" else flag, plan, min(max(number, 0), plan.length - 1))


def _about(number: float) -> str:
    """Two digits: what was measured in ten minutes does not hold for more."""
    whole = round(number)
    return count(int(float(f"{number:.2g}"))) if whole >= 1 else "less than 1" if number else "no"
