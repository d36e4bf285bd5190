"""What would other rules have done? Written by us from what their documents say; the settings are those documents' own.

Each rule sees the pairs of one operation check by check and says when it would roll back.
"""

import math
from collections import deque
from collections.abc import Sequence
from statistics import NormalDist
from typing import Protocol

from bench.health.traffic import pooled
from controlplane.domain.evidence import Pair

A_MINUTE = 6  # checks
NORMAL = NormalDist()


class Rule(Protocol):
    def see(self, pairs: Sequence[Pair]) -> bool: ...


class Totals:
    """Counts since the beginning."""

    def __init__(self) -> None:
        self.candidate = self.baseline = self.candidate_bad = self.baseline_bad = 0

    def add(self, pair: Pair) -> None:
        self.candidate += pair.candidate
        self.baseline += pair.baseline
        self.candidate_bad += pair.candidate_bad
        self.baseline_bad += pair.baseline_bad

    def z(self) -> float:
        """The two-proportion z, pooled variance; positive where the candidate is worse."""
        n, bad = self.candidate + self.baseline, self.candidate_bad + self.baseline_bad
        if not self.candidate or not self.baseline or not 0 < bad < n:
            return 0.0
        difference = self.candidate_bad / self.candidate - self.baseline_bad / self.baseline
        return difference / math.sqrt(bad / n * (1 - bad / n) * (1 / self.candidate + 1 / self.baseline))


class Oracle:
    """Wald's sequential ratio test that knows both rates and, as we do, compares the sides: given that a call failed,
    was it the candidate's? Who also took the baseline's rate for a constant would be sooner still, and wrong whenever
    it drifts.
    """

    def __init__(self, baseline_rate: float, candidate_rate: float, alpha: float = 0.01) -> None:
        self.limit, self.ratio, self.log_ratio = -math.log(alpha), candidate_rate / baseline_rate, 0.0

    def see(self, pairs: Sequence[Pair]) -> bool:
        for pair in pairs:
            if pair.candidate and pair.baseline:
                share = pair.candidate / (pair.candidate + pair.baseline)
                bad = pair.candidate_bad + pair.baseline_bad
                self.log_ratio += pair.candidate_bad * math.log(self.ratio)
                self.log_ratio -= bad * math.log1p(share * (self.ratio - 1))
        return self.log_ratio >= self.limit


class PeekingZ:
    """A z-test of the totals, repeated at each check as if it were the only one."""

    def __init__(self, alpha: float = 0.01) -> None:
        self.totals, self.limit = Totals(), NORMAL.inv_cdf(1 - alpha)

    def see(self, pairs: Sequence[Pair]) -> bool:
        self.totals.add(pooled(list(pairs)))
        return self.totals.z() >= self.limit


class GroupSequential:
    """O'Brien–Fleming: z · √(information so far) against the bound of a Brownian motion; the horizon must be known.

    Looks are so many that the bound is that of continuous monitoring, by the reflection principle.
    """

    def __init__(self, horizon: int, alpha: float = 0.01) -> None:
        self.totals, self.horizon, self.check = Totals(), horizon, 0
        self.limit = NORMAL.inv_cdf(1 - alpha / 2)

    def see(self, pairs: Sequence[Pair]) -> bool:
        self.check += 1
        self.totals.add(pooled(list(pairs)))
        return self.totals.z() * math.sqrt(self.check / self.horizon) >= self.limit


class ConfidenceSequence:
    """Like GrowthBook: the one-sided asymptotic confidence sequence of Waudby-Smith et al., tuned to 5 000 units."""

    TUNED_TO = 5000

    def __init__(self, alpha: float = 0.01) -> None:
        self.totals, self.alpha = Totals(), alpha
        log = -2 * math.log(alpha)
        self.rho2 = (log + math.log(log + 1)) / self.TUNED_TO

    def see(self, pairs: Sequence[Pair]) -> bool:
        totals = self.totals
        totals.add(pooled(list(pairs)))
        n = totals.candidate + totals.baseline
        if not totals.candidate or not totals.baseline:
            return False
        p, q = totals.candidate_bad / totals.candidate, totals.baseline_bad / totals.baseline
        variance = p * (1 - p) / totals.candidate + q * (1 - q) / totals.baseline
        scaled = n * self.rho2 + 1
        width = 2 * scaled / (n * self.rho2) * math.log1p(math.sqrt(scaled) / (2 * self.alpha))
        return p > q and (p - q) ** 2 > variance * width


class Windowed:
    """A measurement each minute over some minutes; so many failed measurements, in total, roll back."""

    def __init__(self, minutes: int, failures: int) -> None:
        self.window: deque[Pair] = deque(maxlen=minutes * A_MINUTE)
        self.failures, self.check = failures, 0

    def see(self, pairs: Sequence[Pair]) -> bool:
        self.check += 1
        self.window.append(pooled(list(pairs)))
        if self.check % A_MINUTE == 0 and self.fails(pooled(list(self.window))):
            self.failures -= 1
        return self.failures <= 0

    def fails(self, seen: Pair) -> bool:
        raise NotImplementedError


class ArgoAbsolute(Windowed):
    """Like Argo Rollouts: more than 5 % over five minutes; failureLimit 3, counted in total, so the fourth decides."""

    def __init__(self) -> None:
        super().__init__(minutes=5, failures=4)

    def fails(self, seen: Pair) -> bool:
        return seen.candidate_bad > 0.05 * seen.candidate


class ArgoRelative(ArgoAbsolute):
    """The same, with the condition that its users write: more than 1.2 times the stable side, or 0.01 %."""

    def fails(self, seen: Pair) -> bool:
        rate = seen.candidate_bad / seen.candidate if seen.candidate else 0.0
        return rate > max(1.2 * seen.baseline_bad / seen.baseline, 0.0001) if seen.baseline else False


class Flagger(Windowed):
    """Like Flagger: success below 99 % over one minute, or no value, is a failed check; threshold 5, in total."""

    def __init__(self) -> None:
        super().__init__(minutes=1, failures=5)

    def fails(self, seen: Pair) -> bool:
        return not seen.candidate or seen.candidate_bad > 0.01 * seen.candidate
