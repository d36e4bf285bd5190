"""What a plan must be like to be accepted."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controlplane.domain.calendar import Window
from controlplane.domain.errors import FieldError
from controlplane.domain.flag import Flag
from controlplane.domain.phase_plans import broken_phases
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.routing import Mode
from controlplane.domain.share import FULL

MOST_STAGES = 100
LONGEST_BAKE = timedelta(days=366)


def broken_plan(flag: Flag) -> Iterator[FieldError]:
    """Every rule that the flag's plan breaks."""
    if flag.plan is None:
        return
    yield from _stages(flag.plan)
    yield from broken_phases(flag, flag.plan) if flag.plan.moves_data else _modes(flag.plan)
    yield from _proofs(flag, flag.plan)
    yield from _planned_operations(flag, flag.plan.operations)
    yield from _lags(flag, flag.plan)
    for number, window in enumerate(flag.plan.windows):
        yield from _window(f"plan.windows.{number}", window)


def _stages(plan: Plan) -> Iterator[FieldError]:
    stages = plan.stages
    if not 1 <= len(stages) <= MOST_STAGES:
        yield FieldError("plan.stages", f"must be 1 to {MOST_STAGES} stages")
    for number in range(1, 0 if plan.moves_data else len(stages)):
        rise = stages[number].share - stages[number - 1].share
        if rise < 0 or (rise == 0 and not _changes_mode(stages, number)):
            yield FieldError(f"plan.stages.{number}.percent", "must be above the stage before it: a plan only goes up")
    if stages and stages[0].share == 0 and stages[0].mode in {None, Mode.SINGLE} and not plan.moves_data:
        message = "must be above 0, unless the mode is shadow or dual_write: nothing would be moved"
        yield FieldError("plan.stages.0.percent", message)
    for number, stage in enumerate(stages):
        if not timedelta() <= stage.bake <= LONGEST_BAKE:
            yield FieldError(f"plan.stages.{number}.bake_seconds", "must be between 0 and 366 days")
        if stage.min_samples is not None and not 0 <= stage.min_samples <= 1_000_000_000:
            yield FieldError(f"plan.stages.{number}.min_samples", "must be between 0 and 1000000000")


def _changes_mode(stages: tuple[Stage, ...], number: int) -> bool:
    before = next((stages[each].mode for each in range(number - 1, -1, -1) if stages[each].mode), None)
    return stages[number].mode not in {None, before}


def _modes(plan: Plan) -> Iterator[FieldError]:
    """Modes that a stage could not set, or that going back to an earlier stage could not undo."""
    if plan.sets_modes and plan.stages[0].mode is None:
        message = 'must be named as well, such as "single", where a later stage names one: going back has to undo it'
        yield FieldError("plan.stages.0.mode", message)
    for number, stage in enumerate(plan.stages):
        if stage.phase:
            message = 'is for plans that move data: say "kind": "data" in the plan, or name a mode instead'
            yield FieldError(f"plan.stages.{number}.phase", message)
        yield from _mode(f"plan.stages.{number}", stage)


def _mode(field: str, stage: Stage) -> Iterator[FieldError]:
    if stage.mode is Mode.AA:
        yield FieldError(f"{field}.mode", "must be single, shadow or dual_write: aa asks the baseline alone")
    if stage.shadow_share is not None and stage.mode is not Mode.SHADOW:
        yield FieldError(f"{field}.shadow_percent", "is for a stage whose mode is shadow: take it out")
    if stage.shadow_share == 0:
        yield FieldError(f"{field}.shadow_percent", "must be above 0: no call would be compared")
    if stage.share == 0 and stage.mode is Mode.SINGLE:
        yield FieldError(f"{field}.percent", "must be above 0 in the mode single: nothing would be moved")


def _proofs(flag: Flag, plan: Plan) -> Iterator[FieldError]:
    """A stage that could never be left is a mistake, and is told where it was made."""
    wanted = [f"plan.stages.{number}.prove" for number, stage in enumerate(plan.stages) if stage.prove]
    if not wanted:
        return
    planned = [flag.operations[name].guardrails for name in flag.planned_operations if name in flag.operations]
    compares = [flag.guardrails.overridden(each).compare if flag.guardrails else None for each in planned]
    if not compares or None in compares:
        yield FieldError(wanted[0], "needs guardrails that compare every operation of the plan with the baseline")
    elif any(each and each.error_rate_ratio == 1 and each.error_rate_margin == 0 for each in compares):
        message = "needs a tolerance: with ratio 1 and margin 0, not even an equal candidate can be proven no worse"
        yield FieldError(wanted[0], message)
    for number, stage in enumerate(plan.stages):
        if stage.prove and stage.share >= FULL:
            yield FieldError(f"plan.stages.{number}.prove", "must come below 100 %: there is nothing to compare with")


def _planned_operations(flag: Flag, names: tuple[str, ...]) -> Iterator[FieldError]:
    for name in names:
        if name not in flag.operations:
            yield FieldError("plan.operations", f"names '{name}', which is not an operation of this flag")
    if len(set(names)) < len(names):
        yield FieldError("plan.operations", "names an operation twice")


def _lags(flag: Flag, plan: Plan) -> Iterator[FieldError]:
    planned = flag.planned_operations
    for name, lag in plan.lags.items():
        if name not in planned:
            yield FieldError(f"plan.lags.{name}", "is not an operation that this plan moves")
        elif not 0 <= lag < MOST_STAGES:
            yield FieldError(f"plan.lags.{name}", f"must be a number of stages between 0 and {MOST_STAGES - 1}")
    for each in flag.constraints:
        ahead = plan.lags.get(each.not_above, 0) - plan.lags.get(each.operation, 0)
        if each.operation in planned and each.not_above in planned and ahead > 0:
            needed = plan.lags.get(each.not_above, 0)
            message = f"must be at least {needed}: '{each.operation}' may not exceed '{each.not_above}'"
            yield FieldError(f"plan.lags.{each.operation}", message)
    if planned and all(plan.lags.get(name, 0) > 0 for name in planned):
        yield FieldError("plan.lags", "let every operation wait: one of them has to go first")


def _window(field: str, window: Window) -> Iterator[FieldError]:
    if not window.days:
        yield FieldError(f"{field}.days", "must name a day, such as mon")
    try:
        ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield FieldError(f"{field}.zone", f"'{window.zone}' is no time zone: write one like Europe/Berlin, or UTC")
