"""A second person: who may say yes where a plan wants two people, and what of that a change of the plan cannot take."""

from dataclasses import replace

from controlplane.domain.flag import Flag
from controlplane.domain.rollout import State


def is_wanted(flag: Flag) -> bool:
    """Once an attempt has wanted two people it wants them to its end, also when its plan no longer says so."""
    return bool(flag.plan and flag.plan.two_person) or (_is_under_way(flag) and bool(flag.rollout.replanned_by))


def objection(flag: Flag, name: str) -> str | None:
    """Why somebody's word is not that of a second person; None where it is, or where nobody asks for one."""
    if not is_wanted(flag):
        return None
    if name == flag.rollout.started_by:
        return f"'{flag.key}' wants a second person: {name} started this attempt"
    if name in flag.rollout.replanned_by:
        return f"'{flag.key}' wants a second person: {name} changed the plan of this attempt"
    return None


def replanned(before: Flag, after: Flag, by: str) -> Flag:
    """The flag after somebody changed the plan that is carried out: who has a hand in it, and owes what it lost."""
    if before.plan == after.plan or not _is_under_way(after) or not (is_wanted(before) or is_wanted(after)):
        return after
    hands = tuple(dict.fromkeys((*after.rollout.replanned_by, by)))
    lost = after.rollout.lost_approval or loses_approval(before, after)
    return replace(after, rollout=replace(after.rollout, replanned_by=hands, lost_approval=lost))


def loses_approval(before: Flag, after: Flag) -> bool:
    """Whether some share could be passed with fewer approvals than before: one is gone, or comes at a larger share."""
    for operation in before.planned_operations:
        asked, asks = _approvals(before, operation), _approvals(after, operation)
        if len(asks) < len(asked) or any(later > share for share, later in zip(asked, asks, strict=False)):
            return True
    return False


def overreach(before: Flag, after: Flag, name: str) -> str | None:
    """Why a percent may not be raised: that, too, needs a second person while the plan owes an approval."""
    if not (after.rollout.lost_approval and after.rollout.is_live and _raises_a_share(before, after)):
        return None
    told = objection(after, name)
    return f"{told}, which lost an approval: somebody else has to raise a percent" if told else None


def _is_under_way(flag: Flag) -> bool:
    return flag.rollout.is_live or flag.rollout.state is State.SCHEDULED


def _approvals(flag: Flag, operation: str) -> list[int]:
    """The shares that an operation does not leave without an approval from here on, the smallest first."""
    if flag.plan is None or operation not in flag.planned_operations:
        return []
    here = min(flag.rollout.stage, flag.plan.length - 1) if flag.rollout.is_live else 0
    stages = range(here, flag.plan.length)
    return sorted(flag.plan.share_of(operation, each) for each in stages if flag.plan.stage(each).approval)


def _raises_a_share(before: Flag, after: Flag) -> bool:
    shares = {name: each.share for name, each in before.operations.items()}
    return any(each.share > shares.get(name, 0) for name, each in after.operations.items())
