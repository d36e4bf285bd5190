"""What would a Kayenta-like judge say? Mann–Whitney on an hour of one-minute error rates, judged hourly."""

import math
from collections.abc import Sequence

from bench.health.rivals import A_MINUTE, NORMAL
from bench.health.traffic import pooled
from controlplane.domain.evidence import Pair

POINTS = 60
CONFIDENCE = 0.98
TOLERANCE = 0.25  # of the estimated shift


class Kayenta:
    """High where the whole confidence interval of the Hodges–Lehmann shift lies beyond a quarter of its estimate."""

    def __init__(self) -> None:
        self.minute: list[Pair] = []
        self.candidate: list[float] = []
        self.baseline: list[float] = []

    def see(self, pairs: Sequence[Pair]) -> bool:
        self.minute.append(pooled(list(pairs)))
        if len(self.minute) < A_MINUTE:
            return False
        total, self.minute = pooled(self.minute), []
        if total.candidate and total.baseline:  # a point without data is left out
            self.candidate.append(total.candidate_bad / total.candidate)
            self.baseline.append(total.baseline_bad / total.baseline)
        if len(self.candidate) < POINTS:
            return False
        high = is_high(self.candidate, self.baseline)
        self.candidate, self.baseline = [], []
        return high


def is_high(candidate: Sequence[float], baseline: Sequence[float]) -> bool:
    shifts = sorted(a - b for a in candidate for b in baseline)
    estimate = shifts[len(shifts) // 2]
    n, m = len(candidate), len(baseline)
    spread = NORMAL.inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n * m * (n + m + 1) / 12)
    lower = shifts[max(0, int(n * m / 2 - spread))]
    return lower > TOLERANCE * abs(estimate)
