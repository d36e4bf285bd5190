"""Phase rules: what may be done to a flag whose plan moves data, whoever asks and by whatever door."""

from collections.abc import Iterator
from dataclasses import replace

from controlplane.domain import phases
from controlplane.domain.flag import Flag, Operation, Side, effective_share
from controlplane.domain.phases import NO_BACKLOG, Backlog, Phase
from controlplane.domain.routing import CallKind, Mode
from controlplane.domain.share import to_percent

_BEFORE_READS = frozenset({Phase.OFF, Phase.DUAL_WRITE})  # nobody may be served by the candidate's store
_SERVING = frozenset({Phase.LIVE, Phase.RAMP_DOWN})
_UNFINISHED = frozenset({Phase.SHADOW, Phase.LIVE, Phase.RAMP_DOWN})


def settled(flag: Flag) -> Flag:
    """The flag in the phase that its operations are in, where no rollout holds them: `off` writes nothing twice."""
    rollout = flag.rollout
    if rollout.is_live or rollout.phase not in _BEFORE_READS or not moves_data(flag):
        return flag
    doubled = any(each.mode is Mode.DUAL_WRITE for _, each in _planned(flag))
    return replace(flag, rollout=replace(rollout, phase=Phase.DUAL_WRITE if doubled else Phase.OFF))


def moves_data(flag: Flag) -> bool:
    return flag.plan is not None and flag.plan.moves_data


def needs_backlog(before: Flag, after: Flag) -> bool:
    """Whether the backlog has to be known to say if a change may be made."""
    return moves_data(after) and (before.rollout.phase is not after.rollout.phase or ramps_up(before, after))


def ramps_up(before: Flag, after: Flag) -> bool:
    """More keys are served by the candidate within a phase, also by enabling: they would miss what its store misses."""
    phase = after.rollout.phase
    if phase is not before.rollout.phase or phase not in _SERVING:
        return False
    was = {name: effective_share(before, name) for name in before.operations}
    return any(effective_share(after, name) > was.get(name, 0) for name, _ in _planned(after))


def refusal(
    before: Flag, after: Flag, backlog: Backlog = NO_BACKLOG, *, brake: bool = False, confirmed: bool = False
) -> str | None:
    """Why a change is refused, and what to do instead; None where it may be made, as a brake that brakes always may."""
    if not (moves_data(before) or moves_data(after)):
        return None
    if brake and after.rollout.phase in {before.rollout.phase, phases.after_brake(before.rollout.phase)}:
        return None
    return next(_refusals(before, after, backlog, confirmed=confirmed), None)


def _refusals(before: Flag, after: Flag, backlog: Backlog, *, confirmed: bool) -> Iterator[str]:
    yield from _of_the_plan(before, after)
    if after.plan is None or not moves_data(after):
        return
    limit = after.plan.backlog_limit
    closed = phases.obstacle(before.rollout.phase, after.rollout.phase, backlog, limit, confirmed=confirmed)
    if closed:
        yield f"'{after.key}' {closed}"
    if ramps_up(before, after) and backlog.writes > limit:
        yield f"'{after.key}' {phases.too_many('a larger percent', backlog, limit)}"
    yield from _of_the_rules(before, after)
    yield from _of_the_end(before, after)
    yield from _of_the_operations(before, after)


def _of_the_plan(before: Flag, after: Flag) -> Iterator[str]:
    phase = before.rollout.phase
    if moves_data(before) != moves_data(after):
        if phase is not Phase.OFF or before.rollout.is_live:
            yield (
                f"'{before.key}' is in the phase {phase.words}, so its plan stays one that moves data: "
                "abort the rollout, and set the mode of its writes to single first"
            )
        elif not moves_data(before) and (busy := _busy(after)):
            yield f"'{busy}' must be at 0 % and in the mode single or dual_write before a plan moves data"
        return
    if phase in _BEFORE_READS and not (phase is Phase.DUAL_WRITE and before.rollout.is_live):
        return
    if set(before.planned_operations) != set(after.planned_operations):
        yield (
            f"'{before.key}' is in the phase {phase.words}: an operation that joined its plan, or left it, would jump "
            "phases; abort the rollout first"
        )


def _busy(flag: Flag) -> str | None:
    calm = {Mode.SINGLE, Mode.DUAL_WRITE}
    return next((name for name, each in _planned(flag) if each.share or each.mode not in calm), None)


def _of_the_rules(before: Flag, after: Flag) -> Iterator[str]:
    phase, was = after.rollout.phase, before.rollout.phase
    onward = phase.place > was.place
    if phase in _BEFORE_READS and after.serves_candidate and (onward or not before.serves_candidate):
        yield (
            f"'{after.key}' has rules that serve {after.candidate}, whose store is not whole before the phase shadow: "
            "take them out, and put them back then"
        )
    back = any(rule.serve is Side.BASELINE for rule in after.rules)
    if phase is Phase.COMPLETE and back and (onward or before.rules != after.rules):
        yield (
            f"'{after.key}' has rules that serve {after.baseline}: in the phase complete their writes would reach "
            "the baseline's store alone; take them out first"
        )


def _of_the_end(before: Flag, after: Flag) -> Iterator[str]:
    phase = after.rollout.phase
    if after.archived_at and phase in _UNFINISHED:
        yield (
            f"'{after.key}' is in the phase {phase.words}, and archived it would stop writing to both stores: "
            "finish or abort the rollout first"
        )
    if phase is Phase.COMPLETE and _taken_back(after) - _taken_back(before):
        yield f"'{after.key}' is complete, so {after.baseline} misses what was written: only a person rolls back now"
    if phase is Phase.COMPLETE is not before.rollout.phase and _taken_back(after):
        yield f"'{after.key}' has operations that were rolled back: unlock the flag before its data are complete"
    backends = (before.baseline, before.candidate) != (after.baseline, after.candidate)
    if backends and before.rollout.phase is not Phase.OFF:
        yield f"'{after.key}' is in the phase {phase.words}, so its backends stay: make a new flag for others"
    doubles = phase not in {Phase.OFF, Phase.COMPLETE}
    if doubles and before.switches.shadow and not after.switches.shadow:
        yield f"'{after.key}' writes to both stores, and the switch 'shadow' would end that: abort the rollout first"


def _taken_back(flag: Flag) -> set[str]:
    """Operations that are rolled back, by their own mark or the flag's."""
    return {name for name, each in flag.operations.items() if each.rolled_back or flag.rolled_back}


def _of_the_operations(before: Flag, after: Flag) -> Iterator[str]:
    """What a person would change of an operation by hand; a stage that is entered sets it itself."""
    if not _is_edit(before, after):
        return
    phase = before.rollout.phase
    for name, new in _planned(after):
        old = before.operations.get(name)
        if old and old.kind is not new.kind and phase is not Phase.OFF:
            yield f"'{name}' stays a {old.kind or 'call'} in the phase {phase.words}: abort the rollout first"
        touched = old is None or (old.share, old.mode) != (new.share, new.mode)
        if touched and not (new.rolled_back and not new.share) and (why := _out_of_phase(after, name, new)):
            yield why


def _is_edit(before: Flag, after: Flag) -> bool:
    old, new = before.rollout, after.rollout
    return (old.state, old.stage, old.entered_at) == (new.state, new.stage, new.entered_at)


def _out_of_phase(flag: Flag, name: str, operation: Operation) -> str | None:
    phase, is_live = flag.rollout.phase, flag.rollout.is_live
    kind = operation.kind or CallKind.WRITE
    wanted, share = phases.mode_in(phase, kind), phases.share_in(phase)
    modes = {wanted, Mode.SINGLE} if phase is Phase.DUAL_WRITE and not is_live else {wanted}
    if operation.mode not in modes:
        has = f"has the mode {wanted.value}"
    elif share is None:
        has = "" if operation.share else "is above 0 %"
    elif operation.share == share or (phase is Phase.COMPLETE and not is_live and not operation.share):
        has = ""
    else:
        has = f"is at {to_percent(share):g} %"
    way = "start its rollout" if phase is Phase.OFF else "advance, step back, roll back or abort instead"
    return f"the plan of '{flag.key}' moves data, and '{name}' {has} in the phase {phase.words}: {way}" if has else None


def _planned(flag: Flag) -> Iterator[tuple[str, Operation]]:
    return ((name, flag.operations[name]) for name in flag.planned_operations if name in flag.operations)
