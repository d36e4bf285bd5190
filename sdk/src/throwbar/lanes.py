"""What must a call know of the plan in force, while all is as usual? Made once for each snapshot, for `plain_run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mmh3 import mmh3_32_uintdigest

from throwbar.bound import Bound
from throwbar.breaker import Breaker
from throwbar.budget import Budget
from throwbar.decision import SINGLE, Choice, Decision
from throwbar.engine import Engine
from throwbar.snapshot import Snapshot

# Of a side: its choice, which function of a pair it calls, its breaker, where ordinary calls are counted, and the
# decision as the service sees it.
Lane = tuple[Choice, int, Breaker, Budget, Decision]

# The snapshot it holds for, what is bound, the cells of each thread, the lane of every call or None, and how a key
# finds its own: heads, threshold, the lanes below and above it. Plain tuples, because the interpreter takes them apart
# faster than it reads attributes, and because one store replaces them whole.
Lanes = tuple[Snapshot, Bound, Any, Lane | None, Mapping[int, bytes], int, Lane, Lane]
NO_LANES = cast(Lanes, (None,) * 8)


def lanes_of(engine: Engine, bound: Bound) -> Lanes:
    """Of what was just bound; NO_LANES when the mode or the rules ask for more than a lane can tell."""
    plan = bound.plan
    settled = plan.settled
    if not engine.counting or plan.mode != SINGLE or plan.rules or (settled is not None and settled.paired):
        return NO_LANES
    return (
        *(bound.snapshot, bound, engine.tally.local, None if settled is None else _lane(bound, settled)),
        *(plan.heads, plan.threshold, _lane(bound, plan.by_share_candidate), _lane(bound, plan.by_share_baseline)),
    )


def _lane(bound: Bound, choice: Choice) -> Lane:
    guard = bound.guards[choice.candidate]
    return choice, int(choice.candidate), guard.breaker, guard.earnings, choice.decision(bound.snapshot.version)


def decision_of(engine: Engine, lanes: Lanes, key: object) -> Decision | None:
    """What is decided for such a call now, or None: it must be decided the general way. Never raises."""
    snapshot, _, _, lane, heads, threshold, below, above = lanes
    if snapshot is not engine.snapshot or type(key) is not str:
        return None
    try:
        if lane is None:
            raw = key.encode()
            lane = below if mmh3_32_uintdigest(heads[len(raw)] + raw) < threshold else above
        return lane[4] if lane[2].passing is not None else None
    except Exception:  # noqa: BLE001 - the general way meets it again
        return None
