"""When does our evidence order a rollback? The product's kernel over pairs, without the rest of the decision."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controlplane.domain import evidence
from controlplane.domain.evidence import Pair, Wealth, comparison_factors, staked
from controlplane.domain.guardrails import Compare
from controlplane.domain.health import LEAST_BAD_KEYS


@dataclass(frozen=True, slots=True)
class Policy:
    """Tolerance and design effect."""

    ratio: float
    margin: float
    design_effect: float

    def edge(self, baseline_rate: float) -> float:
        """The worst rate of a candidate that is still tolerated."""
        return self.ratio * baseline_rate + self.margin


_DEFAULT = Compare()
STRICT = Policy(1.0, 0.0, 1.0)
BY_CALL = Policy(_DEFAULT.error_rate_ratio, _DEFAULT.error_rate_margin, 1.0)
DEFAULT = Policy(_DEFAULT.error_rate_ratio, _DEFAULT.error_rate_margin, evidence.DESIGN_EFFECT)


class Ours:
    """The evidence of one operation's errors, gathered check by check."""

    def __init__(self, policy: Policy, alpha: float = 0.01) -> None:
        self.policy = policy
        self.limit = -math.log(alpha)
        self.wealth = Wealth()
        self.bad = 0

    def see(self, pairs: Sequence[Pair]) -> bool:
        """Whether this check rolls back."""
        self.wealth = staked(self.wealth, factors_of(pairs, self.policy))
        self.bad += sum(pair.candidate_bad for pair in pairs)
        return self.exceeds(self.limit)

    def exceeds(self, limit: float) -> bool:
        # The evidence is at most its best bet's wealth and a half: most checks need no more than this look.
        if self.bad < LEAST_BAD_KEYS or max(self.wealth.bets) < math.log(math.exp(limit) - 0.5):
            return False
        return self.wealth.log_evidence >= limit


def factors_of(pairs: Sequence[Pair], policy: Policy) -> Sequence[float]:
    return comparison_factors(pairs, ratio=policy.ratio, margin=policy.margin, design_effect=policy.design_effect)


def first_alarms(pairs: Iterable[Sequence[Pair]], policy: Policy, alphas: Sequence[float]) -> tuple[int | None, ...]:
    """The first check at which each α is exceeded; alphas from the largest to the smallest."""
    ours, found = Ours(policy, alphas[0]), [None] * len(alphas)
    limits = [-math.log(alpha) for alpha in alphas]
    reached = 0
    for check, each in enumerate(pairs, 1):
        ours.see(each)
        while ours.exceeds(limits[reached]):
            found[reached] = check
            reached += 1
            if reached == len(limits):
                return tuple(found)
    return tuple(found)
