"""Refusals: may a key that an open breaker turned away be held against the candidate?

It may, as long as the breaker would hardly have opened by chance. A candidate that fails like the baseline, and as
much more often as is tolerated, opens one now and then: with five hard failures in a row, or half of twenty calls.
Of n calls to it, where a part h fails hard (no connection, no answer in time) and a part p at all, so many begin that:

    x = n · (h⁵ + C(20, 10) p¹⁰)                     and then most of five probes fail as well: x · C(5, 3) p³

The baseline tells h and p at the same time. Over an attempt the sum is the number of such openings to be expected, and
so bounds the probability that there is one (Markov). When it would exceed its part of α, and for as long afterwards as
a breaker may stay open, keys that were turned away are left out; in an incident that hits both sides that is at once.
An opening that probes confirm has half of that part for itself: a candidate that is dead beside a baseline of which
some calls time out is recognised by them, half a minute later.
"""

import math
from dataclasses import dataclass, replace

from controlplane.domain import stakes
from controlplane.domain.arm import Arm
from controlplane.domain.guardrails import Compare

IN_A_ROW, HALF_OF, CALLS = 5, 10, 20  # the defaults of a breaker
PROBES, MOST_OF = 5, 3
LONGEST_OPEN = 360  # seconds: the cap of an open time and its jitter
MEMORY = 60  # buckets: how slowly what is known of the baseline fades
_UNSURE = 20  # calls that are supposed to have gone well: one failure of three calls is no rate
_HARD = ("connection", "timeout")
REFUSED = "breaker"  # the category of a call that was turned away


@dataclass(frozen=True, slots=True)
class Rate:
    """The baseline's calls, those that failed hard, and those that failed at all."""

    calls: float = 0.0
    hard: float = 0.0
    bad: float = 0.0

    def faded(self) -> "Rate":
        kept = 1 - 1 / MEMORY
        return Rate(self.calls * kept, self.hard * kept, self.bad * kept)

    def plus(self, other: "Rate") -> "Rate":
        return Rate(self.calls + other.calls, self.hard + other.hard, self.bad + other.bad)


@dataclass(frozen=True, slots=True)
class Calls:
    """All that one bucket tells of breakers: how the baseline did, how often the candidate was called, its probes."""

    start: int
    baseline: Arm
    attempts: int
    probes: Arm = Arm()


@dataclass(frozen=True, slots=True)
class Budget:
    """Openings by chance to be `expected` up to now. In buckets that start before `until` none is believed."""

    expected: float = 0.0
    until: int = 0

    def charged(self, openings: float, allowed: float, start: int) -> "Budget":
        """What is not believed costs nothing."""
        if self.expected + openings > allowed:
            return Budget(self.expected, start + LONGEST_OPEN)
        return Budget(self.expected + openings, self.until)


@dataclass(frozen=True, slots=True)
class Refusals:
    """`recent` is what the baseline showed of late; `failing` says that most of the newest probes failed."""

    recent: Rate = Rate()
    opened: Budget = Budget()
    confirmed: Budget = Budget()
    failing: bool = False

    def doubted(self, start: float) -> bool:
        """Whether what is turned away in a bucket that starts then proves nothing."""
        return start < self.opened.until and not (self.failing and start >= self.confirmed.until)


def with_calls(before: Refusals, calls: Calls, compare: Compare, operations: int = 1) -> Refusals:
    """After one more bucket; `operations` share the part of α."""
    baseline, start, probes = calls.baseline, calls.start, calls.probes
    hard = sum(baseline.errors.get(each, 0) for each in _HARD) + baseline.pending
    now = Rate(baseline.judged, hard, baseline.bad)
    recent = before.recent.faded().plus(now)
    opens, reopens = (max(of(recent, compare), of(now, compare)) * calls.attempts for of in (_opening, _confirmed))
    allowed = stakes.BREAKERS * compare.alpha / operations / 2
    return Refusals(
        recent,
        before.opened.charged(opens, allowed, start),
        before.confirmed.charged(reopens, allowed, start),
        2 * probes.bad > probes.judged if probes.judged >= MOST_OF else before.failing,
    )


def _opening(baseline: Rate, compare: Compare) -> float:
    """That a call of a candidate which is as bad as tolerated begins what opens a breaker."""
    hard, bad = _as_bad_as_tolerated(baseline, compare)
    return float(hard**IN_A_ROW + math.comb(CALLS, HALF_OF) * bad**HALF_OF)


def _confirmed(baseline: Rate, compare: Compare) -> float:
    """And that most of the probes which follow fail."""
    _, bad = _as_bad_as_tolerated(baseline, compare)
    return _opening(baseline, compare) * min(1.0, math.comb(PROBES, MOST_OF) * bad**MOST_OF)


def _as_bad_as_tolerated(baseline: Rate, compare: Compare) -> tuple[float, float]:
    """The parts of its calls that fail hard, and at all."""
    calls, ratio, margin = baseline.calls + _UNSURE, compare.error_rate_ratio, compare.error_rate_margin
    return min(1.0, ratio * baseline.hard / calls + margin), min(1.0, ratio * baseline.bad / calls + margin)


def without_refused(arm: Arm) -> Arm:
    """The same calls and keys less those that never reached the backend."""
    calls = arm.errors.get(REFUSED, 0)
    if not calls:
        return arm
    keys = min(arm.turnout.refused, calls)
    return replace(
        arm,
        calls=arm.calls - calls,
        bad=arm.bad - calls,
        errors={name: number for name, number in arm.errors.items() if name != REFUSED},
        keys=arm.keys - keys,
        bad_keys=max(0, arm.bad_keys - keys),
    )
