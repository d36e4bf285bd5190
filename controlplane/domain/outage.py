"""Outage: is a candidate dead whose keys can no longer tell?

A key is bad once in an attempt, so that one broken key condemns nobody. In a rollout of weeks nearly every key has
failed once, and then a candidate could fail for all of them unnoticed. Where ten keys, and half of all, are spent,
failures are no story of a few keys any more, and calls may tell one thing: that most of them fail. Null, in each bucket
in which the baseline is well:

    p_candidate ≤ ½

tested by the one-sample bet of `evidence` on keys, each of which counts as bad for the part of the calls that failed.
A bucket in which the baseline fails as well is not bet on: going back would not help.
"""

from collections.abc import Sequence

from controlplane.domain import evidence
from controlplane.domain.arm import Arm, total
from controlplane.domain.evidence import Wealth

LIMIT = 0.5
SPENT = 0.5  # of the candidate's keys that have failed before
LEAST_SPENT = 10  # keys: what happened to fewer is their own story
WELL = 0.1  # of the baseline's calls that may fail


def is_spent(keys: int, bad_keys: int) -> bool:
    """Whether most keys of the candidate cannot be bad any more; `keys` are those seen in the attempt, each once."""
    return bad_keys >= max(LEAST_SPENT, SPENT * keys)


def is_well(bad: float, of: float) -> bool:
    """By Laplace's rule of succession: of a handful that were well nobody can tell."""
    return bad + 1 <= WELL * (of + 2)


def bet_on_outage(before: Wealth, candidates: Sequence[Arm], baseline: Arm, design_effect: float) -> Wealth:
    """The wealth after one more bucket: of what the share assigned, beside all that the baseline was called."""
    candidate = total(candidates)
    rate = candidate.error_rate
    if rate is None or not is_well(baseline.bad, baseline.judged):
        return before
    bad = round(rate * candidate.keys)
    return evidence.staked(before, evidence.threshold_factors(candidate.keys, bad, LIMIT, design_effect=design_effect))
