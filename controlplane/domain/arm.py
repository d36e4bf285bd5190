"""Arm: what one side of an operation was called, and how that went. Counts only, so that any two can be added."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from controlplane.domain import histogram
from controlplane.domain.assignment import Turnout
from controlplane.domain.histogram import Histogram


class Halves(NamedTuple):
    """The baseline's fresh and bad keys, each in the first and in the second half of all keys."""

    fresh_first: int = 0
    fresh_second: int = 0
    bad_first: int = 0
    bad_second: int = 0


NO_HALVES = Halves()


@dataclass(frozen=True, slots=True)
class Arm:
    """Counts of one side. `bad` calls are errors and pending ones; cancelled calls are neither good nor bad.

    `halves` is what the pre-check looks at. `strayed_keys` are keys that the other side had served before, under the
    same share; None where nobody looked.
    `retries`, `fallbacks`, `unknown`, `shadow` and `ratio` are shown and never judged (docs/protocol.md).
    """

    calls: int = 0
    bad: int = 0
    cancelled: int = 0
    pending: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=dict)
    keys: int = 0
    bad_keys: int = 0
    key_latency: Histogram = field(default_factory=dict)
    rise_from: Histogram = field(default_factory=dict)
    rise_to: Histogram = field(default_factory=dict)
    retries: int = 0
    fallbacks: int = 0
    unknown: int = 0
    shadow: Mapping[str, int] = field(default_factory=dict)
    ratio: Histogram = field(default_factory=dict)
    halves: Halves = NO_HALVES
    strayed_keys: int | None = None

    @property
    def judged(self) -> int:
        """Calls with an outcome that counts."""
        return self.calls - self.cancelled

    @property
    def error_rate(self) -> float | None:
        return self.bad / self.judged if self.judged else None

    @property
    def turnout(self) -> Turnout:
        """Its keys, for the check of the assignment."""
        return Turnout(self.keys, self.fresh_keys, max(0, self.keys - histogram.size(self.key_latency)), self.bad_keys)

    @property
    def fresh_keys(self) -> int:
        """Keys that this attempt had not seen before, on either side."""
        return max(0, histogram.size(self.rise_to) - histogram.size(self.rise_from))

    def newly_slower(self, index: int) -> int:
        """Keys that were slower than an edge for the first time in the attempt."""
        return max(0, histogram.above(self.rise_to, index) - histogram.above(self.rise_from, index))


NOBODY = Arm()


def total(arms: Sequence[Arm]) -> Arm:
    """The sum of counts."""
    if len(arms) < 2:
        return arms[0] if arms else NOBODY
    return Arm(
        calls=sum(arm.calls for arm in arms),
        bad=sum(arm.bad for arm in arms),
        cancelled=sum(arm.cancelled for arm in arms),
        pending=sum(arm.pending for arm in arms),
        errors=summed(arm.errors for arm in arms),
        latency=histogram.merge(arm.latency for arm in arms),
        keys=sum(arm.keys for arm in arms),
        bad_keys=sum(arm.bad_keys for arm in arms),
        key_latency=histogram.merge(arm.key_latency for arm in arms),
        rise_from=histogram.merge(arm.rise_from for arm in arms),
        rise_to=histogram.merge(arm.rise_to for arm in arms),
        retries=sum(arm.retries for arm in arms),
        fallbacks=sum(arm.fallbacks for arm in arms),
        unknown=sum(arm.unknown for arm in arms),
        shadow=summed(arm.shadow for arm in arms),
        ratio=histogram.merge(arm.ratio for arm in arms),
        halves=Halves(*map(sum, zip(*(arm.halves for arm in arms), strict=True))),
        strayed_keys=_known(arm.strayed_keys for arm in arms),
    )


def called(arms: Sequence[Arm]) -> Arm:
    """The sum of their calls and of how long these took, without anything else: what a window shows."""
    return Arm(
        calls=sum([arm.calls for arm in arms]),
        bad=sum([arm.bad for arm in arms]),
        cancelled=sum([arm.cancelled for arm in arms]),
        latency=histogram.merge(arm.latency for arm in arms),
    )


def _known(numbers: Iterable[int | None]) -> int | None:
    found = [number for number in numbers if number is not None]
    return sum(found) if found else None


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of tallies."""
    found: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found.get(name, 0) + count
    return found
