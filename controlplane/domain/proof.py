"""Proof: that a candidate is no worse than the baseline by more than a stated margin.

The comparison of `evidence` looks for harm; its silence proves nothing. Here the bet is the other way round, on q < 1
against the null hypothesis that the candidate fails for at least m times as many keys as the baseline, and δ of all
keys besides. With ρ the candidate's part of the keys in a bucket, f its keys that came for the first time:

    g    = (1 + ρ(m − 1)) / (1 + ρ(qm − 1))
    ln e = Σ over strata [ bad_c ln q + (bad_c + bad_b) ln g + f δ (1 − q g) ] / D
    E    = mean over q of Π e;  under the null P(E ever ≥ 1/β) ≤ β

With λ the expected bad keys of a bucket, λ_c ≥ m λ_b ρ/(1 − ρ) + δ f makes E e ≤ 1, as q g ≤ 1. There are no
restarts: what was worse an hour ago speaks against the candidate. δ is paid for each key once, as a key is bad once:
paid in every bucket, time alone would prove whatever one likes.
"""

from collections.abc import Sequence

from controlplane.domain import evidence
from controlplane.domain.evidence import DESIGN_EFFECT, Pair, comparison_factor

BETS = (0.3, 0.5, 0.65, 0.8, 0.9)

LogBets = tuple[float, ...]  # ln of what each bet has come to; empty before the first bucket


def proved(
    before: LogBets,
    strata: Sequence[tuple[Pair, int]],
    *,
    ratio: float,
    margin: float,
    design_effect: float = DESIGN_EFFECT,
) -> LogBets:
    """What the bets have come to after one more bucket: for each stratum its pair, and the candidate's fresh keys."""
    factors = [sum(_factor(pair, fresh, bet, ratio, margin) for pair, fresh in strata) for bet in BETS]
    return tuple(
        old + factor / design_effect for old, factor in zip(before or (0.0,) * len(BETS), factors, strict=True)
    )


def _factor(pair: Pair, fresh: int, bet: float, ratio: float, margin: float) -> float:
    if not pair.candidate or not pair.baseline:
        return 0.0
    rho = pair.candidate / (pair.candidate + pair.baseline)
    g = (1 + rho * (ratio - 1)) / (1 + rho * (bet * ratio - 1))
    return comparison_factor(pair, bet, ratio, 0.0) + fresh * margin * (1 - bet * g)


def log_proof(bets: LogBets) -> float:
    """ln E that the candidate is no worse than the margin allows; 0 before the first bucket."""
    return evidence.log_mean(bets) if bets else 0.0
