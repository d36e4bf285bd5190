"""Attendance: the keys that each side had at each share, and how many a side without any should have had."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from controlplane.domain.arm import Arm
from controlplane.domain.assignment import Assignment, Assignments, Turnout
from controlplane.domain.bucket import Stratum
from controlplane.domain.share import FULL

KeysAt = Mapping[int, tuple[int, int]]  # share → keys of baseline and candidate, which count once in every bucket

_NOBODY = Assignment()


def keys_at(before: KeysAt, strata: Sequence[Stratum]) -> KeysAt:
    """After one more bucket; calls where a side told of no keys."""
    found = dict(before)
    for stratum in strata:
        at = found.get(stratum.share, (0, 0))
        found[stratum.share] = (at[0] + _units(stratum.baseline), at[1] + _units(stratum.candidate))
    return found


def _units(arm: Arm) -> int:
    return arm.keys or arm.calls


def assigned(before: Assignments, strata: Sequence[Stratum]) -> Assignments:
    """After one more bucket."""
    found = dict(before)
    for stratum in strata:
        arrived = Assignment(stratum.baseline.turnout, stratum.candidate.turnout)
        found[stratum.share] = found.get(stratum.share, _NOBODY).plus(arrived)
    return found


def expected_candidate(had: Assignments, strata: Sequence[Stratum]) -> float:
    """How many keys the candidate should have had, by the share that assigned those of the baseline."""
    keys = _drawn(each.candidate for each in had.values())
    return sum(keys(each.baseline) * each.share / max(1, FULL - each.share) for each in strata)


def expected_baseline(had: Assignments, strata: Sequence[Stratum]) -> float:
    """The same the other way round."""
    keys = _drawn(each.baseline for each in had.values())
    return sum(keys(each.candidate) * (FULL - each.share) / max(1, each.share) for each in strata)


def _drawn(had: Iterable[Turnout]) -> Callable[[Arm], int]:
    """Which keys say that the other side should have some, by what it `had` up to now.

    One that has had keys should have them again. One that never had any may have lost every draw: keys that come again
    and again repeat the luck of one.
    """
    return (lambda arm: arm.keys) if any(each.keys for each in had) else (lambda arm: arm.fresh_keys)
