"""When would a confidence sequence of the p99 roll back? The beta-binomial one of Howard & Ramdas (2022).

The calls up to an edge are Bin(n, q(edge)). A Beta mixture of the likelihood ratios of q against 0.99 is a martingale
where q is 0.99, so an edge whose ratio exceeds 1/α is surely not the p99. The candidate is slower for sure where some
edge lies below its p99 and above the baseline's; each side spends α on two sides of which one is needed, α/2 + α/2.
"""

import math
from collections.abc import Mapping

QUANTILE = 0.99
TIGHTEST = {"candidate": 1_000, "baseline": 10_000}  # calls at which each side's bound is tuned to be tight


class QuantileSequence:
    def __init__(self, alpha: float = 0.01) -> None:
        self.limit = -math.log(alpha)
        log = 2 * self.limit
        self.weights = {side: calls / (log + math.log(1 + log)) for side, calls in TIGHTEST.items()}
        self.counts: dict[str, dict[int, int]] = {"candidate": {}, "baseline": {}}

    def see(self, candidate: Mapping[int, int], baseline: Mapping[int, int]) -> bool:
        for side, more in (("candidate", candidate), ("baseline", baseline)):
            for index, count in more.items():
                self.counts[side][index] = self.counts[side].get(index, 0) + count
        slow = self._surely("candidate", below=True)
        fast = self._surely("baseline", below=False)
        return bool(slow & fast)

    def _surely(self, side: str, *, below: bool) -> set[int]:
        """Edges that are surely below the p99 of this side, or surely above it."""
        counts, found, upto = self.counts[side], set(), 0
        total = sum(counts.values())
        for index in range(min(counts, default=0), 140):
            upto += counts.get(index, 0)
            under = upto < QUANTILE * total
            if under == below and total and self._log_ratio(upto, total, self.weights[side]) >= self.limit:
                found.add(index)
        return found

    def _log_ratio(self, upto: int, total: int, weight: float) -> float:
        a, b = weight * QUANTILE, weight * (1 - QUANTILE)
        mixed = _log_beta(a + upto, b + total - upto) - _log_beta(a, b)
        return mixed - upto * math.log(QUANTILE) - (total - upto) * math.log(1 - QUANTILE)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
