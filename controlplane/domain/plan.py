"""Plan: ordered stages, each a share and how long it must stay healthy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controlplane.domain.calendar import Window
from controlplane.domain.convergence import Barrier
from controlplane.domain.phases import Phase, PlanKind, mode_in
from controlplane.domain.routing import CallKind, Mode


@dataclass(frozen=True, slots=True)
class Stage:
    """One share, its bake, and whether a person must approve leaving it.

    `min_samples` None: as many as the guardrails ask for. `prove`: only a candidate that is proven to be no worse than
    the guardrails tolerate leaves it. `notes` are for people. `mode` None: as in the stage before; `shadow_share` None:
    as the operation has it. `phase` is named by the stages of a plan that moves data, and sets modes by kind of call.
    """

    share: int
    bake: timedelta
    approval: bool = False
    min_samples: int | None = None
    notes: str = ""
    prove: bool = False
    mode: Mode | None = None
    shadow_share: int | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`operations` empty means all operations of the flag.

    `lags` says by how many stages an operation follows: with {"search": 1} it enters a stage when the others enter the
    next one, so the plan is carried on beyond its last stage until the last operation has come through.
    `start_at` None: a start is a start. `windows`: the hours in which the scheduler may move on. `two_person`: whoever
    started an attempt, or changed its plan since, may not approve its stages. `barrier`: whether the next stage waits
    until every live process obeys the present one, as it must where two stages must not be lived in at once.
    `backlog_limit`: how many writes may be missing when a plan of the kind `data` goes on to its next phase.
    """

    stages: tuple[Stage, ...]
    operations: tuple[str, ...] = ()
    lags: Mapping[str, int] = field(default_factory=dict)
    start_at: datetime | None = None
    windows: tuple[Window, ...] = ()
    two_person: bool = False
    barrier: Barrier = Barrier.WARN
    kind: PlanKind = PlanKind.SWITCH
    backlog_limit: int = 0

    def copied_for(self, operations: Collection[str]) -> "Plan":
        """For a flag with these operations. A date belongs to one migration, and so does what is said of others."""
        lags = {name: lag for name, lag in self.lags.items() if name in operations}
        own = tuple(name for name in self.operations if name in operations)
        return replace(self, operations=own, lags=lags, start_at=None)

    @property
    def length(self) -> int:
        """How many stages are lived through, those included in which only the lagging operations still move."""
        return len(self.stages) + max(self.lags.values(), default=0)

    def stage(self, number: int) -> Stage:
        """Beyond the last one it is the last one that is repeated."""
        return self.stages[min(number, len(self.stages) - 1)]

    def share_of(self, operation: str, number: int) -> int:
        """The share of an operation while the plan is at a stage; 0 before its own first one."""
        own = number - self.lags.get(operation, 0)
        return self.stage(own).share if own >= 0 else 0

    @property
    def sets_modes(self) -> bool:
        """Whether it says what else happens to a call; else the operations keep the modes that somebody gave them."""
        return self.moves_data or any(stage.mode for stage in self.stages)

    @property
    def moves_data(self) -> bool:
        return self.kind is PlanKind.DATA

    def phase_of(self, number: int) -> Phase:
        """`OFF` for a plan that has no phases."""
        return self.stage(number).phase or Phase.OFF

    def asks_person(self, number: int) -> bool:
        """Whether the stage after this one is behind the point of no return, and this one is not."""
        if not self.moves_data or number >= len(self.stages) - 1:
            return False
        return self.phase_of(number + 1) is Phase.COMPLETE and self.phase_of(number) is not Phase.COMPLETE

    def mode_of(self, operation: str, kind: CallKind | None, number: int) -> Mode:
        """What else happens to its calls at a stage of a plan that sets modes."""
        if self.moves_data:
            return mode_in(self.phase_of(number), kind or CallKind.WRITE)
        stage = self.moded_by(operation, number)
        return (stage and stage.mode) or Mode.SINGLE

    def moded_by(self, operation: str, number: int) -> Stage | None:
        """The stage whose mode an operation has while the plan is at a stage; None before its own first one."""
        own = min(number - self.lags.get(operation, 0), len(self.stages) - 1)
        return next((self.stages[each] for each in range(own, -1, -1) if self.stages[each].mode), None)
