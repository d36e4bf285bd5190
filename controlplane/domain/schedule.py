"""Schedule: when a plan's stages would be entered if nothing went wrong. Pure; a person or a finding may change it all.

An approval or a minimum of samples takes as long as it takes, so what stands here is the earliest.
"""

from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.calendar import Calendar
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Rollout, State


@dataclass(frozen=True, slots=True)
class Stay:
    """A stage and how long it is stayed at; `until` None: as long as nobody knows."""

    stage: int
    since: datetime
    until: datetime | None


def planned(plan: Plan, rollout: Rollout, calendar: Calendar, now: datetime) -> list[Stay]:
    """The stages that are ahead, the present one first if it is running. Nothing where nothing moves by itself."""
    if rollout.state is State.RUNNING and rollout.entered_at:
        return _from(plan, rollout.stage, rollout.entered_at, calendar, now)
    if rollout.state is State.SCHEDULED and rollout.start_at:
        begin = calendar.opens_at(max(now, rollout.start_at))
        return _from(plan, 0, begin, calendar, now) if begin else []
    return []


def _from(plan: Plan, stage: int, since: datetime, calendar: Calendar, now: datetime) -> list[Stay]:
    found: list[Stay] = []
    for number in range(stage, plan.length):
        ends = calendar.opens_at(max(now, since + plan.stage(number).bake))
        until = None if plan.asks_person(number) else ends
        found.append(Stay(number, since, until))
        if until is None:
            break
        since = until
    return found


def closed(calendar: Calendar, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The spans within [since, until) that no window of the calendar is open in; its freezes aside."""
    if not calendar.windows:
        return []
    openings = sorted(span for window in calendar.windows for span in window.openings(since, until))
    found, at = [], since
    for start, end in openings:
        if start > at:
            found.append((at, start))
        at = max(at, end)
    return [*found, (at, until)] if at < until else found
