"""What a plan that moves data must be like: every phase in its turn, and each operation known to read or to write."""

from collections.abc import Iterator

from controlplane.domain.errors import FieldError
from controlplane.domain.flag import Flag
from controlplane.domain.phases import Phase, share_in
from controlplane.domain.plan import Plan, Stage
from controlplane.domain.share import FULL, to_percent

MOST_BACKLOG = 1_000_000_000
_SAMPLED = frozenset({Phase.SHADOW, Phase.LIVE})


def broken_phases(flag: Flag, plan: Plan) -> Iterator[FieldError]:
    """Every rule of the kind `data` that the plan breaks."""
    for number, stage in enumerate(plan.stages):
        yield from _stage(f"plan.stages.{number}", stage)
    yield from _order(plan)
    if not 0 <= plan.backlog_limit <= MOST_BACKLOG:
        yield FieldError("plan.backlog_limit", f"must be a number of writes between 0 and {MOST_BACKLOG}")
    if plan.lags:
        yield FieldError("plan.lags", "are for plans of the kind switch: here all operations are in one phase")
    for name in flag.planned_operations:
        if name in flag.operations and flag.operations[name].kind is None:
            message = (
                f"is missing for '{name}': say read or write, as a plan that moves data treats the two differently"
            )
            yield FieldError(f"operations.{name}.kind", message)


def _stage(field: str, stage: Stage) -> Iterator[FieldError]:
    if stage.phase is None or stage.phase is Phase.OFF:
        yield FieldError(f"{field}.phase", "must be dual_write, shadow, live, ramp_down or complete")
        return
    share = share_in(stage.phase)
    if share is not None and stage.share != share:
        yield FieldError(f"{field}.percent", f"is {to_percent(share):g} in the phase {stage.phase}: leave it out")
    if share is None and not stage.share:
        yield FieldError(f"{field}.percent", "must be above 0 in the phase live")
    if stage.mode is not None:
        yield FieldError(f"{field}.mode", "is set by the phase, for reads and for writes: leave it out")
    if stage.shadow_share is not None and stage.phase not in _SAMPLED:
        yield FieldError(f"{field}.shadow_percent", "is for the phases shadow and live, which compare: take it out")
    if stage.shadow_share == 0:
        yield FieldError(f"{field}.shadow_percent", "must be above 0: no read would be compared")


def _order(plan: Plan) -> Iterator[FieldError]:
    """One phase at a time from dual_write on; only `live` has several stages, up to 100 % before it is left."""
    before, share = Phase.OFF, 0
    for number, stage in enumerate(plan.stages):
        phase, field = stage.phase or Phase.OFF, f"plan.stages.{number}"
        same = phase is before is Phase.LIVE
        if not same and phase.place != before.place + 1:
            expected = "live or ramp_down" if before is Phase.LIVE else _following(before)
            yield FieldError(f"{field}.phase", f"must be {expected} here: no phase is left out or comes twice")
            return
        if same and stage.share <= share:
            yield FieldError(f"{field}.percent", "must be above the stage before it: a plan only goes up")
        if phase is Phase.RAMP_DOWN and share < FULL:
            yield FieldError(f"plan.stages.{number - 1}.percent", "must be 100 before ramp_down follows")
        before, share = phase, stage.share


def _following(phase: Phase) -> str:
    order = tuple(Phase)
    return order[phase.place + 1] if phase.place + 1 < len(order) else "the last one"
