"""Plan: ordered stages, each a share and how long it must stay healthy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controlplane.domain.calendar import Window
from controlplane.domain.convergence import Barrier
from controlplane.domain.routing import Mode


@dataclass(frozen=True, slots=True)
class Stage:
    """One share, its bake, and whether a person must approve leaving it.

    `min_samples` None: as many as the guardrails ask for. `prove`: only a candidate that is proven to be no worse than
    the guardrails tolerate leaves it. `notes` are for people. `mode` None: as in the stage before; `shadow_share` None:
    as the operation has it.
    """

    share: int
    bake: timedelta
    approval: bool = False
    min_samples: int | None = None
    notes: str = ""
    prove: bool = False
    mode: Mode | None = None
    shadow_share: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`operations` empty means all operations of the flag.

    `lags` says by how many stages an operation follows: with {"search": 1} it enters a stage when the others enter the
    next one, so the plan is carried on beyond its last stage until the last operation has come through.
    `start_at` None: a start is a start. `windows`: the hours in which the scheduler may move on. `two_person`: whoever
    started an attempt, or changed its plan since, may not approve its stages. `barrier`: whether the next stage waits
    until every live process obeys the present one, as it must where two stages must not be lived in at once.
    """

    stages: tuple[Stage, ...]
    operations: tuple[str, ...] = ()
    lags: Mapping[str, int] = field(default_factory=dict)
    start_at: datetime | None = None
    windows: tuple[Window, ...] = ()
    two_person: bool = False
    barrier: Barrier = Barrier.WARN

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
        return any(stage.mode for stage in self.stages)

    def moded_by(self, operation: str, number: int) -> Stage | None:
        """The stage whose mode an operation has while the plan is at a stage; None before its own first one."""
        own = min(number - self.lags.get(operation, 0), len(self.stages) - 1)
        return next((self.stages[each] for each in range(own, -1, -1) if self.stages[each].mode), None)
