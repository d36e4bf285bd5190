"""Assignment: does the share send as many keys to the candidate as it says?

A missing fifth of the candidate's keys means lost reports, crashed processes or a second hash in front of the first;
what is then compared are no longer like with like.

Only the first appearance of a key in an attempt is a draw. A key stays on its side, so the same keys come again in
every bucket, and counting them there would repeat the luck of one draw until it looks like proof. Services say which
keys they see for the first time (`key_rise` without `from`), so, at share s,

    fresh_candidate ~ Bin(fresh_candidate + fresh_baseline, s)        exactly, in one process.

The test bets on the odds of a key being the candidate's, o times what the share says, against o = 1: the two-sided
conditional Bernoulli test (Lindon & Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022) with a
mixture over a few o. Without restarts it depends on the totals alone:

    ln E(o) = Σ over shares [ candidate ln o − (candidate + baseline) ln(1 + s(o − 1)) ] / D
    E       = mean over o of E(o);  P(E ever ≥ 1/α) ≤ α

Each process remembers keys for itself, so a key that roams is fresh once in every process. Where w processes may count
it, D = w keeps the bound: E X^(1/w) of a draw repeated w times is at most E X of a single one (Jensen). How failures
cluster has nothing to do with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.domain import evidence
from controlplane.domain.share import FULL

ODDS = (1 / 4, 1 / 2, 2 / 3, 4 / 5, 5 / 4, 3 / 2, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Turnout:
    """What one share brought to one side over an attempt.

    `keys` counts a key in every bucket, `fresh` once, `bad` once and only if it failed. `refused` are keys of which no
    call was let through by an open breaker, in every bucket: they may be fresh, and nobody has counted them as such.
    """

    keys: int = 0
    fresh: int = 0
    refused: int = 0
    bad: int = 0

    def plus(self, other: "Turnout") -> "Turnout":
        return Turnout(
            self.keys + other.keys, self.fresh + other.fresh, self.refused + other.refused, self.bad + other.bad
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """Both sides of one share."""

    baseline: Turnout = Turnout()
    candidate: Turnout = Turnout()

    def plus(self, other: "Assignment") -> "Assignment":
        return Assignment(self.baseline.plus(other.baseline), self.candidate.plus(other.candidate))


Assignments = Mapping[int, Assignment]  # by share


def log_mismatch(assignments: Assignments, processes: int = 1) -> float:
    """ln E that keys are not assigned as the shares say; `processes` is how many may have counted the same key."""
    return evidence.log_mean([_log_odds_bet(assignments, odds) / processes for odds in ODDS])


def _log_odds_bet(assignments: Assignments, odds: float) -> float:
    return sum(_log_factor(each, share / FULL, odds) for share, each in assignments.items() if 0 < share < FULL)


def _log_factor(seen: Assignment, share: float, odds: float) -> float:
    """Refused keys count where they speak against the bet: what is not known must not convince."""
    candidate = seen.candidate.fresh + (seen.candidate.refused if odds < 1 else 0)
    baseline = seen.baseline.fresh + (seen.baseline.refused if odds > 1 else 0)
    return candidate * math.log(odds) - (candidate + baseline) * math.log1p(share * (odds - 1))


def most_conspicuous(assignments: Assignments) -> tuple[int, Assignment] | None:
    """The share whose keys deviate most from it, and them; None where nothing was drawn."""
    drawn = [(share, each) for share, each in assignments.items() if 0 < share < FULL]
    return max(drawn, key=lambda pair: log_mismatch(dict([pair])), default=None)
