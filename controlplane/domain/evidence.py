"""Evidence: how strongly the counts speak against a limit, valid however often it is looked at.

Every null hypothesis here is a bet that a harmless candidate cannot win in the long run. The wealth of a bettor who
started with 1 exceeds 1/α with a probability of at most α, ever (Ville's inequality), so wealth is evidence: "1 in N".

- Comparison of two arms: the conditional test of Lindon & Malek (Anytime-valid inference for multinomial count data,
  NeurIPS 2022) with a tolerance. Null, in every bucket: p_candidate ≤ m · p_baseline + δ.
- Absolute limit: the one-sample Bernoulli bet. Null: p_candidate ≤ p0.

A regression may begin late, so each bet q is a mixture over start times; old good buckets do not pay for it:

    M_t(q) = (M_{t−1}(q) + w_t) · e_t(q),  M_0 = 0
    w_1 = ½ + w,  w_t = w = ½ · c / ((t + c − 1)(t + c)),  c = 360 buckets
    E_t    = mean over q of M_t(q) + 1 − Σ_{s ≤ t} w_s

with M_t(q) at most 10²⁴.

The proof that a candidate is no worse, the check of the assignment and the intervals are in `proof`, `assignment` and
`intervals`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BETS = (1.25, 1.6, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0)
THRESHOLD_BETS = (1.3, 1.6, 2.0, 3.0, 5.0, 10.0, 20.0)
RESTART_HORIZON = 360  # buckets: half of the start weight beyond the first is spent after so many
# Keys of one tenant fail together, and each process counts a key anew: 2 until an A/A check has measured how much.
DESIGN_EFFECT = 2.0
# What a bet may own at most, more than any α asks for. Beyond it wealth is thrown away, which is always fair: an
# incident that is over would otherwise speak for twenty times as long as it lasted.
MOST_WEALTH = math.log(1e24)
SUSPICIOUS = math.log(5.0)
SUPPORT = math.log(20.0)  # comparison evidence that an absolute limit needs beside its own

_NOTHING = float("-inf")
_LOG_BETS = tuple((bet, math.log(bet)) for bet in BETS)


@dataclass(frozen=True, slots=True)
class Wealth:
    """Log wealth of each bet, and after how many buckets. Empty before the first."""

    bets: tuple[float, ...] = ()
    buckets: int = 0
    # One look asks for it five times: for the flag, its operations, each guardrail and the trail.
    _log: float | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def log_evidence(self) -> float:
        """ln E: the bets' mean plus the part of the start weight not yet spent."""
        log = self._log
        if log is None:
            log = self._log_evidence()
            object.__setattr__(self, "_log", log)
        return log

    def _log_evidence(self) -> float:
        if not self.bets:
            return 0.0
        unspent = 0.5 * RESTART_HORIZON / (self.buckets + RESTART_HORIZON)
        return _log_add(_log_mean(self.bets), math.log(unspent))


def staked(wealth: Wealth, log_factors: Sequence[float]) -> Wealth:
    """The wealth after one more bucket, whose winnings per bet are `log_factors`."""
    before = wealth.bets or (_NOTHING,) * len(log_factors)
    stake = math.log(_start_weight(wealth.buckets + 1))
    log1p, exp = math.log1p, math.exp
    # `_log_add` written out: it is most of what a bet costs.
    bets = tuple(
        [
            min(
                (old + log1p(exp(stake - old)) if old >= stake else stake + log1p(exp(old - stake))) + factor,
                MOST_WEALTH,
            )
            for old, factor in zip(before, log_factors, strict=True)
        ]
    )
    return Wealth(bets, wealth.buckets + 1)


def _start_weight(bucket: int) -> float:
    late = 0.5 * RESTART_HORIZON / ((bucket + RESTART_HORIZON - 1) * (bucket + RESTART_HORIZON))
    return late + 0.5 if bucket == 1 else late


@dataclass(frozen=True, slots=True)
class Pair:
    """Units and bad units of both arms, in one bucket of one stratum."""

    candidate: int
    baseline: int
    candidate_bad: int
    baseline_bad: int


def comparison_factors(
    pairs: Sequence[Pair],
    *,
    ratio: float,
    margin: float,
    largest_bet: float = BETS[-1],
    design_effect: float = DESIGN_EFFECT,
) -> tuple[float, ...]:
    """ln of the winnings of each bet over the strata of one bucket; `ratio` is m, `margin` is δ.

    With ρ the candidate's part of the units and q the bet:

        g = (1 + ρ(m − 1)) / (1 + ρ(qm − 1))
        ln e = Σ over strata [ bad_c ln q + (bad_c + bad_b) ln g − n_c δ (q g − 1) ] / D

    D is `design_effect`: how many failures come together; 1 where each call is drawn on its own. A stratum with one
    arm only wins and loses nothing. Bets above `largest_bet` stay out of the game (factor 0).
    """
    bets = [each for each in _LOG_BETS if each[0] <= largest_bet]
    idle = (0.0,) * (len(BETS) - len(bets))
    if len(pairs) == 1:
        return (*(factor / design_effect for factor in _factors(pairs[0], bets, ratio, margin)), *idle)
    strata = zip(*(_factors(pair, bets, ratio, margin) for pair in pairs), strict=True)
    return (*(sum(each) / design_effect for each in strata), *idle) if pairs else (0.0,) * len(BETS)


def comparison_factor(pair: Pair, bet: float, ratio: float, margin: float) -> float:
    """ln of the winnings of one bet on one stratum, before the design effect; see `comparison_factors`."""
    return _factors(pair, [(bet, math.log(bet))], ratio, margin)[0]


def _factors(pair: Pair, bets: Sequence[tuple[float, float]], ratio: float, margin: float) -> list[float]:
    """The same of several bets, each beside its logarithm."""
    if not pair.candidate or not pair.baseline:
        return [0.0] * len(bets)
    rho = pair.candidate / (pair.candidate + pair.baseline)
    bad, failed, borne = pair.candidate_bad, pair.candidate_bad + pair.baseline_bad, pair.candidate * margin
    fair, log, factors = 1 + rho * (ratio - 1), math.log, []
    for bet, log_bet in bets:
        g = fair / (1 + rho * (bet * ratio - 1))
        factors.append(bad * log_bet + failed * log(g) - borne * (bet * g - 1))
    return factors


def threshold_factors(units: int, bad: int, limit: float, *, design_effect: float = DESIGN_EFFECT) -> tuple[float, ...]:
    """ln of the winnings of each bet that the rate is above `limit` (0 < limit < 1).

    With r the bet, capped so that r · limit < 1, and D the design effect:

        ln e = [ bad ln r + (units − bad) ln((1 − r limit) / (1 − limit)) ] / D
    """
    # Strictly between 1 and 1/limit: a bet below 1 would win on every call that goes well.
    largest = 1 + 0.999 * (1 / limit - 1)
    return tuple(_threshold_factor(units, bad, limit, min(bet, largest)) / design_effect for bet in THRESHOLD_BETS)


def _threshold_factor(units: int, bad: int, limit: float, bet: float) -> float:
    return bad * math.log(bet) + (units - bad) * math.log((1 - bet * limit) / (1 - limit))


def log_mean(log_values: Sequence[float]) -> float:
    """ln of the mean of e-values given by their logarithms: the mean of e-values is an e-value."""
    return _log_mean(log_values)


def log_shared(log_values: Sequence[float]) -> list[float]:
    """ln of what each e-value is worth among the others, so that each may be acted on alone: the least mean of any
    group it belongs to (closed testing: Vovk & Wang, E-values: calibration, combination and applications, 2021).
    Others that speak louder do not speak for it.
    """
    order = sorted(range(len(log_values)), key=log_values.__getitem__)
    return [
        _least_log_mean(own, (log_values[other] for other in order if other != number))
        for number, own in enumerate(log_values)
    ]


def _least_log_mean(own: float, rising: Iterable[float]) -> float:
    """Those below the mean so far bring it down; from the first that does not, none will."""
    total = mean = own
    for number, each in enumerate(rising, 2):
        if each >= mean:
            break
        total = _log_add(total, each)
        mean = total - math.log(number)
    return mean


def one_in(log_evidence: float) -> float:
    """Evidence as people read it: "1 in N" harmless candidates would look this bad. Capped at a million million."""
    return math.exp(min(max(log_evidence, 0.0), math.log(1e12)))


def _log_mean(logs: Sequence[float]) -> float:
    top = max(logs)
    if top == _NOTHING:
        return _NOTHING
    exp = math.exp
    return top + math.log(sum([exp(each - top) for each in logs]) / len(logs))


def _log_add(a: float, b: float) -> float:
    high, low = (a, b) if a >= b else (b, a)
    if low == _NOTHING:
        return high
    return high + math.log1p(math.exp(low - high))
