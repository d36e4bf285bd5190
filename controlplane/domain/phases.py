"""Phases: where the data of a migration stand, what each asks of reads and writes, and which way leads to which.

Only two phases that follow each other may be lived in at once: services are a poll apart. So a rollout goes one phase
at a time, and back only to where the baseline's store has what was written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from controlplane.domain.routing import CallKind, Mode
from controlplane.domain.share import FULL
from controlplane.domain.words import count


class PlanKind(StrEnum):
    """What a plan moves: calls between backends that answer alike, or data from one store to another."""

    SWITCH = "switch"
    DATA = "data"


class Phase(StrEnum):
    """In this order. `OFF` is before the plan; from `COMPLETE` on the baseline's store misses what is written."""

    OFF = "off"
    DUAL_WRITE = "dual_write"
    SHADOW = "shadow"
    LIVE = "live"
    RAMP_DOWN = "ramp_down"
    COMPLETE = "complete"

    @property
    def place(self) -> int:
        return _ORDER.index(self)

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


_ORDER = tuple(Phase)


class Guard(StrEnum):
    """What a way asks for."""

    FREE = "free"
    BACKLOG = "backlog"  # few enough writes that reached one side only
    CONFIRMED = "confirmed"  # the same, and a person who wrote down the flag's key
    BASELINE_WHOLE = "baseline_whole"  # no write that the baseline's store misses


# Every way there is (docs/rollouts.md has the same table). None leads out of `complete`, and none from a phase that
# serves the candidate to `off`, where nothing is written twice. A rollback ends in `dual_write`: the candidate's store
# must not miss what is written from then on.
WAYS: Mapping[tuple[Phase, Phase], Guard] = {
    (Phase.OFF, Phase.DUAL_WRITE): Guard.FREE,
    (Phase.DUAL_WRITE, Phase.SHADOW): Guard.BACKLOG,
    (Phase.SHADOW, Phase.LIVE): Guard.BACKLOG,
    (Phase.LIVE, Phase.RAMP_DOWN): Guard.BACKLOG,
    (Phase.RAMP_DOWN, Phase.COMPLETE): Guard.CONFIRMED,
    (Phase.DUAL_WRITE, Phase.OFF): Guard.FREE,
    (Phase.SHADOW, Phase.DUAL_WRITE): Guard.FREE,
    (Phase.SHADOW, Phase.OFF): Guard.FREE,
    (Phase.LIVE, Phase.SHADOW): Guard.BASELINE_WHOLE,
    (Phase.LIVE, Phase.DUAL_WRITE): Guard.BASELINE_WHOLE,
    (Phase.RAMP_DOWN, Phase.LIVE): Guard.BASELINE_WHOLE,
    (Phase.RAMP_DOWN, Phase.SHADOW): Guard.BASELINE_WHOLE,
    (Phase.RAMP_DOWN, Phase.DUAL_WRITE): Guard.BASELINE_WHOLE,
}


@dataclass(frozen=True, slots=True)
class Backlog:
    """Writes that one side's store misses and that nobody has said to be reconciled, as far as reports tell."""

    baseline: int = 0
    candidate: int = 0

    @property
    def writes(self) -> int:
        return self.baseline + self.candidate


NO_BACKLOG = Backlog()


def mode_in(phase: Phase, kind: CallKind) -> Mode:
    """What else happens to a call of this kind."""
    if kind is CallKind.WRITE:
        return Mode.SINGLE if phase in {Phase.OFF, Phase.COMPLETE} else Mode.DUAL_WRITE
    return Mode.SHADOW if phase in {Phase.SHADOW, Phase.LIVE} else Mode.SINGLE


def share_in(phase: Phase) -> int | None:
    """The one share that a phase allows; None in `live`, where it is the ramp's."""
    if phase is Phase.LIVE:
        return None
    return FULL if phase.place > Phase.LIVE.place else 0


def after_brake(phase: Phase) -> Phase:
    """Where a person's rollback or abort ends, whatever is missing: everything at the baseline, both still written."""
    return phase if phase in {Phase.OFF, Phase.COMPLETE} else Phase.DUAL_WRITE


def obstacle(before: Phase, after: Phase, backlog: Backlog, limit: int = 0, *, confirmed: bool = False) -> str | None:
    """Why this way is closed, in words that follow a flag's name, and what to do; None where it is open.

    `limit` is how many writes may be missing, on both sides together, for a way forward.
    """
    if before is after:
        return None
    guard = WAYS.get((before, after))
    if guard is None:
        return _no_way(before, after)
    if guard is Guard.BASELINE_WHOLE and backlog.baseline:
        return (
            f"cannot go back from {before.words} to {after.words}: {missing(backlog.baseline)} in the baseline's "
            "store; write them there and say reconciled"
        )
    if guard in {Guard.BACKLOG, Guard.CONFIRMED} and backlog.writes > limit:
        return too_many(after.words, backlog, limit)
    if guard is Guard.CONFIRMED and not confirmed:
        return f"goes to {after.words} only when a person confirms it: from there no way leads back"
    return None


def too_many(where: str, backlog: Backlog, limit: int) -> str:
    return f"cannot go on to {where}: {lacking(backlog)}, and {count(limit)} may; mend them and say reconciled"


def _no_way(before: Phase, after: Phase) -> str:
    if before is Phase.COMPLETE:
        return "is complete, and from there no way leads back: make a new flag for the next migration"
    if after.place > before.place:
        following = _ORDER[before.place + 1]
        return f"cannot jump from {before.words} to {after.words}: {following.words} comes first"
    return f"cannot go from {before.words} to {after.words}: roll back or abort, which goes on writing both stores"


def lacking(backlog: Backlog) -> str:
    """Like "2 writes are missing in the baseline's store and 1 in the candidate's"."""
    if backlog.baseline and backlog.candidate:
        return f"{missing(backlog.baseline)} in the baseline's store and {count(backlog.candidate)} in the candidate's"
    if backlog.baseline:
        return f"{missing(backlog.baseline)} in the baseline's store"
    return f"{missing(backlog.candidate)} in the candidate's store"


def missing(writes: int) -> str:
    return "1 write is missing" if writes == 1 else f"{count(writes)} writes are missing"
