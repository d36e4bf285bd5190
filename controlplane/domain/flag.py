"""Flag: one migration or feature, its backends or variants, operations and rules. Changes return a new flag."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from controlplane.domain.constraints import Constraint, lowered
from controlplane.domain.feature import Feature, Kind
from controlplane.domain.guardrails import Guardrails, Overrides
from controlplane.domain.phases import Phase
from controlplane.domain.plan import Plan
from controlplane.domain.rollout import Rollout, State, in_phase
from controlplane.domain.routing import DEFAULT_SHADOW_SHARE, Breaker, CallKind, Mode, Retry, Switches
from controlplane.domain.share import FULL


class Side(StrEnum):
    """The backend that is trusted, and the one that is moved to."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"


class Operator(StrEnum):
    """How a rule compares an attribute with its values."""

    IN = "in"
    NOT_IN = "not_in"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Rule:
    """Keys whose attribute matches are served one side, whatever the share."""

    attribute: str
    operator: Operator
    values: tuple[str, ...]
    serve: Side


_REHEARSALS = frozenset({Mode.SHADOW, Mode.DUAL_WRITE})


@dataclass(frozen=True, slots=True)
class Operation:
    """A named kind of call with a share of its own. `shadow_share` and `kind` None: nobody said."""

    share: int = 0
    mode: Mode = Mode.SINGLE
    shadow_share: int | None = None
    breaker: Breaker = Breaker()
    retry: Retry = Retry()
    guardrails: Overrides = field(default_factory=dict)
    rolled_back: bool = False
    kind: CallKind | None = None

    @property
    def sampled_share(self) -> int:
        """The share of keys that is called twice where the mode samples."""
        return DEFAULT_SHADOW_SHARE if self.shadow_share is None else self.shadow_share


@dataclass(frozen=True, slots=True)
class Flag:
    """A migration or a feature as it stands; `version` grows by one with every change.

    The sides of a feature are variants: its baseline is what everybody gets whom nothing sends elsewhere, and its
    candidate is "" where it is not moved. An archived flag answers with its final backend until it is retired.
    `blocked_by` names what its checklist still asks for: a rollout neither starts nor advances before.
    """

    key: str
    baseline: str
    candidate: str
    feature: Feature | None = None
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    enabled: bool = False
    switches: Switches = Switches()
    operations: Mapping[str, Operation] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    guardrails: Guardrails | None = None
    plan: Plan | None = None
    constraints: tuple[Constraint, ...] = ()
    version: int = 0
    published: int = 0  # the snapshot version that brought the newest change; 0 where nobody wrote it down
    rolled_back: bool = False
    rollout: Rollout = Rollout()
    blocked_by: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    retired_at: datetime | None = None

    def operation(self, name: str) -> Operation | None:
        return self.operations.get(name)

    @property
    def kind(self) -> Kind:
        return Kind.FEATURE if self.feature else Kind.MIGRATION

    @property
    def is_routed(self) -> bool:
        """Whether the SDK can decide: by backends or variants and a share, without the targeting of OpenFeature."""
        return bool(self.candidate) and not (self.feature and self.feature.targeting)

    @property
    def planned_operations(self) -> tuple[str, ...]:
        """The operations that the plan moves: those it names, else all."""
        if self.plan and self.plan.operations:
            return self.plan.operations
        return tuple(self.operations)

    @property
    def exposed_operations(self) -> tuple[str, ...]:
        """The operations that may send a key to the candidate now."""
        if not self.enabled or self.rolled_back or self.archived_at:
            return ()
        return tuple(
            name
            for name, each in self.operations.items()
            if not each.rolled_back and (each.share or self.serves_candidate)
        )

    @property
    def attempted_operations(self) -> tuple[str, ...]:
        """The operations that share the α of an attempt: exposed, taken back alone, or still to have their turn.

        While an attempt lasts they stay the same: with each that came or went α would be spent anew.
        """
        if not self.exposed_operations:
            return ()
        under_way = self.rollout.state in {State.RUNNING, State.PAUSED, State.COMPLETED}
        planned = self.planned_operations if self.plan and under_way else ()
        return tuple(
            name
            for name, each in self.operations.items()
            if each.share or each.rolled_back or name in planned or self.serves_candidate
        )

    @property
    def rehearsed_operations(self) -> tuple[str, ...]:
        """The operations whose calls also go to the candidate, by a plan that sets the modes."""
        if not (self.plan and self.plan.sets_modes and self.enabled) or self.rolled_back or self.archived_at:
            return ()
        known = ((name, self.operations[name]) for name in self.planned_operations if name in self.operations)
        return tuple(name for name, each in known if each.mode in _REHEARSALS and not each.rolled_back)

    @property
    def serves_candidate(self) -> bool:
        """Some rule sends keys to the candidate, whatever the share."""
        return any(rule.serve is Side.CANDIDATE for rule in self.rules)

    @property
    def largest_share(self) -> int:
        """The share of the operation that is furthest, as it is set."""
        return max((each.share for each in self.operations.values()), default=0)

    def guardrails_of(self, name: str) -> Guardrails | None:
        """The flag's guardrails with the operation's own fields laid over them, and the stage's own minimum."""
        if self.guardrails is None:
            return None
        limits = self.guardrails.overridden(self.operations[name].guardrails)
        wanted = self.plan.stage(self.rollout.stage).min_samples if self.plan and self.rollout.is_live else None
        return limits if wanted is None else replace(limits, min_samples=wanted)


def with_shares(flag: Flag, share: int, names: tuple[str, ...]) -> Flag:
    """The flag with one share for some operations; one that was rolled back on its own takes no share but 0."""
    operations = {
        name: replace(each, share=share) if name in names and (share == 0 or not each.rolled_back) else each
        for name, each in flag.operations.items()
    }
    return replace(flag, operations=operations)


def with_stage(flag: Flag, plan: Plan, number: int) -> Flag:
    """The flag as its planned operations are at a stage: shares, and modes where the plan sets them.

    One that was rolled back on its own stays at 0.
    """
    operations = {
        name: _at_stage(each, plan, name, number) if name in flag.planned_operations and not each.rolled_back else each
        for name, each in flag.operations.items()
    }
    return in_order(replace(flag, operations=operations))


def on_stage(flag: Flag, plan: Plan, rollout: Rollout) -> Flag:
    """The flag at the rollout's stage, and the rollout in the phase of that stage."""
    if plan.moves_data:
        rollout = in_phase(rollout, plan.phase_of(rollout.stage))
    return replace(with_stage(flag, plan, rollout.stage), rollout=rollout)


def in_the_end(flag: Flag) -> Flag:
    """The flag whose data have moved: everything goes to the candidate, and to it alone."""
    operations = {
        name: replace(each, share=FULL, mode=Mode.SINGLE) if name in flag.planned_operations else each
        for name, each in flag.operations.items()
    }
    return replace(flag, operations=operations, rollout=in_phase(flag.rollout, Phase.COMPLETE))


def _at_stage(operation: Operation, plan: Plan, name: str, number: int) -> Operation:
    moved = replace(operation, share=plan.share_of(name, number))
    if not plan.sets_modes:
        return moved
    stage = plan.stage(number) if plan.moves_data else plan.moded_by(name, number)
    mode = plan.mode_of(name, operation.kind, number)
    sampled = operation.shadow_share if stage is None or stage.shadow_share is None else stage.shadow_share
    return replace(moved, mode=mode, shadow_share=None if mode is Mode.DUAL_WRITE else sampled)


def without_copies(flag: Flag, names: tuple[str, ...]) -> Flag:
    """The flag without the shadow calls that its plan began: a candidate in trouble is left alone.

    Dual writes go on: ended here, the candidate's store would miss what is written from now on.
    """
    if not (flag.plan and flag.plan.sets_modes):
        return flag
    ended = {name for name in names if name in flag.planned_operations}
    operations = {
        name: replace(each, mode=Mode.SINGLE) if name in ended and each.mode is Mode.SHADOW else each
        for name, each in flag.operations.items()
    }
    return replace(flag, operations=operations)


def in_order(flag: Flag) -> Flag:
    """The flag with the followers taken along where an operation went down."""
    shares = lowered({name: each.share for name, each in flag.operations.items()}, flag.constraints)
    operations = {name: replace(each, share=shares[name]) for name, each in flag.operations.items()}
    return replace(flag, operations=operations)


def without_rollback(flag: Flag) -> Flag:
    """The flag with every rolled-back mark cleared: what `start` and `unlock` do, and nothing else may."""
    operations = {name: replace(each, rolled_back=False) for name, each in flag.operations.items()}
    return replace(flag, rolled_back=False, operations=operations)


def raises_exposure(before: Flag, after: Flag) -> bool:
    """Whether some operation sends more keys to the candidate than it did: by share, by being switched on, or
    because another backend takes the place of one of the two, of which nothing is known yet.
    """
    known = before.operations if (before.baseline, before.candidate) == (after.baseline, after.candidate) else {}
    return any(
        effective_share(after, name) > (effective_share(before, name) if name in known else 0)
        for name in after.operations
    )


def final_side(flag: Flag, name: str) -> Side:
    """What an archived flag answers for an operation: the candidate only where the migration had come to its end."""
    operation = flag.operations[name]
    over = operation.share >= FULL or flag.rollout.state in {State.COMPLETED, State.FINISHED}
    obeyed = flag.enabled and not flag.rolled_back and not operation.rolled_back
    return Side.CANDIDATE if obeyed and over and operation.share else Side.BASELINE


def effective_share(flag: Flag, name: str) -> int:
    """The share that services obey: 0 where the flag is off or something was rolled back."""
    operation = flag.operations[name]
    obeyed = flag.enabled and not flag.rolled_back and not operation.rolled_back and flag.archived_at is None
    return operation.share if obeyed else 0
