"""Warnings: what is allowed and yet unwise, such as what a plan promises and cannot keep where it stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from controlplane.domain.access import Role
from controlplane.domain.calendar import Calendar
from controlplane.domain.flag import Flag
from controlplane.domain.flag_rules import ends_blind
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import State
from controlplane.domain.words import seconds
from controlplane.store import UnitOfWork
from controlplane.store.environments import Environment

_ENOUGH = 2  # whoever starts, and whoever approves


def warnings(flag: Flag) -> list[str]:
    """What can be said of the flag alone."""
    found = []
    if ends_blind(flag):
        found.append("The plan ends at 100 %: nothing is left to compare with there. End at 98 % and finish by hand.")
    if flag.plan and flag.guardrails is None:
        found.append("There are no guardrails: the plan advances by time alone and nothing rolls it back.")
    found.extend(_hardly_measured(flag))
    found.extend(hasty_stages(flag))
    if flag.rolled_back and flag.largest_share:
        found.append("The flag is rolled back: its percents have no effect until it is unlocked or started.")
    return found


def _hardly_measured(flag: Flag) -> Iterator[str]:
    """What moves and is targeted as well is asked for through OpenFeature, which never hears how a call went."""
    if not flag.candidate or flag.guardrails is None or flag.is_routed:
        return
    policies = [limits for name in flag.operations if (limits := flag.guardrails_of(name))]
    why = "It has targeting, so services ask for it through OpenFeature and the SDK measures none of its calls: "
    if any(each.max_error_rate is not None or each.max_latency_ms for each in policies):
        yield f"{why}only limits guard it, on calls that services tell as metrics."
    else:
        yield (
            f"{why}nothing guards it, as its guardrails have no limits. Set max_error_rate or max_latency_ms, and let "
            "services tell their calls as metrics."
        )


def hasty_stages(flag: Flag) -> Iterator[str]:
    """Stages that are over before the guardrails have looked at one whole window of them."""
    if flag.plan is None or flag.guardrails is None:
        return
    widest = max(
        (limits.window_seconds for name in flag.planned_operations if (limits := flag.guardrails_of(name))), default=0
    )
    window = timedelta(seconds=widest)
    hasty = [number for number, each in enumerate(flag.plan.stages, start=1) if each.bake < window]
    if hasty:
        which = f"Stage {hasty[0]} is" if len(hasty) == 1 else f"Stages {', '.join(map(str, hasty))} are"
        shortest = min(flag.plan.stages[number - 1].bake for number in hasty).total_seconds()
        soon = f"after {seconds(shortest)}" if shortest else "at once"
        yield (
            f"{which} over {soon}, before the guardrails have seen one window of {seconds(widest)}: "
            "let it bake at least that long."
        )


def unkept_promises(uow: UnitOfWork, environment: Environment, flag: Flag, now: datetime) -> Iterator[str]:
    """What the calendar of the environment, and the people in it, make of a plan that is still to be carried out."""
    plan = flag.plan
    if plan is None or flag.archived_at or flag.rollout.state is State.FINISHED:
        return
    yield from _closed_for_ever(uow, environment, plan, now)
    if plan.two_person and any(stage.approval for stage in plan.stages):
        yield from _nobody_to_approve(uow, environment, now)


def _closed_for_ever(uow: UnitOfWork, environment: Environment, plan: Plan, now: datetime) -> Iterator[str]:
    calendar = Calendar(plan.windows, uow.freezes.all(environment.id))
    begins = max(now, plan.start_at) if plan.start_at else now
    if calendar.opens_at(begins) is not None:
        return
    longest = max(calendar.freezes, key=lambda each: each.ends_at, default=None)
    freeze = longest if longest and longest.ends_at > begins else None
    why = f"the freeze '{freeze.name}' leaves it" if freeze else "its hours and the freezes leave it"
    yield f"The plan cannot move on for more than a year: {why} no open hour. Shorten the freeze, or change the hours."


def _nobody_to_approve(uow: UnitOfWork, environment: Environment, now: datetime) -> Iterator[str]:
    people = [each for each in uow.people.all() if each.disabled_at is None]
    tokens = [each for each in uow.tokens.all() if each.is_valid(now) and each.owner is None]  # else no second person
    roles = [each.role_in(environment.name) for each in people] + [each.role_in(environment.name) for each in tokens]
    able = sum(1 for role in roles if role and role.covers(Role.OPERATOR))
    if able < _ENOUGH:
        yield (
            f"Its approvals need a second person, and {able or 'nobody'} may operate in '{environment.name}': "
            "give somebody the role operator, or no stage with an approval is ever left."
        )
