"""Observation: what was seen of an operation, bucket by bucket, and the evidence gathered from it.

`gather` is pure: the same buckets in the same order give the same evidence, whatever process folds them.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controlplane.domain import evidence, histogram
from controlplane.domain.arm import Arm, total
from controlplane.domain.assignment import Assignment, Turnout
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.evidence import DESIGN_EFFECT, Pair, Wealth
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.histogram import Histogram
from controlplane.domain.outage import bet_on_outage, is_spent
from controlplane.domain.precheck import Precheck
from controlplane.domain.proof import LogBets, proved
from controlplane.domain.refusals import Calls, Refusals, with_calls, without_refused
from controlplane.domain.share import FULL

__all__ = [
    "Arm",
    "Bucket",
    "Evidence",
    "Stratum",
    "design_effect_of",
    "gather",
    "quantile_name",
    "quantile_of",
    "total",
]

LATENCY_QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
# One pause of a process slows many keys at once. A capped win is still a fair bet, and a slowness must last two or
# three buckets before it rolls anything back.
LARGEST_LATENCY_WIN = math.log(20.0)
# Below it a wrapper more or a colder cache is a fifth, and nobody waits for it: keys within 1 ms are equally fast.
FINEST_EDGE = histogram.index_of(1.0)
HISTORY_CAP = 2_000_000  # keys: beyond it the baseline's history is halved, so that it follows the day


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt has shown about one operation so far. Restarts when the limits it tests are changed.

    `design_effect` is what holds where the guardrails say none: whoever opens an attempt sets it to what the `precheck`
    has measured, and it stays for the attempt. `processes` is how many have reported at most, `operations` among how
    many of the flag α is divided. None of them restarts.
    """

    policy: str = ""
    design_effect: float = DESIGN_EFFECT
    processes: int = 1
    operations: int = 1
    precheck: Precheck = Precheck()
    refusals: Refusals = Refusals()
    errors: Wealth = Wealth()
    latency: Mapping[str, Wealth] = field(default_factory=dict)
    outage: Wealth = Wealth()
    max_error_rate: Wealth = Wealth()
    max_latency: Mapping[str, Wealth] = field(default_factory=dict)
    history: Histogram = field(default_factory=dict)
    baseline_keys: int = 0
    baseline_bad_keys: int = 0
    candidate_keys: int = 0
    candidate_bad_keys: int = 0
    slow: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    keys_at: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    assignments: Mapping[int, Assignment] = field(default_factory=dict)
    proof: LogBets = ()
    missed_baseline: float = 0.0
    missed_candidate: float = 0.0
    newest: int | None = None

    @property
    def is_spent(self) -> bool:
        """Most keys of the candidate have failed before in this attempt, so that they cannot be bad any more."""
        fresh = sum(each.candidate.fresh for each in self.assignments.values())
        return is_spent(fresh, sum(each.candidate.bad for each in self.assignments.values()))

    @property
    def log_latency(self) -> float:
        """ln of the mean evidence over the latency edges."""
        return evidence.log_mean([each.log_evidence for each in self.latency.values()]) if self.latency else 0.0


def gather(seen: Evidence, bucket: Bucket, guardrails: Guardrails) -> Evidence:
    """The evidence after one more sealed bucket."""
    effect = design_effect_of(seen, guardrails)
    policy = _policy(guardrails, effect)
    if seen.policy != policy:
        seen = _anew(seen, policy)
    spent = seen.is_spent
    seen = _counted(seen, bucket)
    if guardrails.compare:
        seen, bucket = _heeded(seen, bucket, guardrails.compare)
    if guardrails.compare and spent:
        candidates = [each.candidate for each in bucket.strata]
        seen = replace(seen, outage=bet_on_outage(seen.outage, candidates, bucket.baseline, effect))
    if guardrails.compare:
        seen = _compared(seen, bucket.strata, guardrails.compare, effect)
    candidate = total([bucket.candidate, bucket.metrics]) if bucket.metrics.calls else bucket.candidate
    return _measured(seen, candidate, guardrails, effect)


def _heeded(seen: Evidence, bucket: Bucket, compare: Compare) -> tuple[Evidence, Bucket]:
    """The bucket as it may be held against the candidate: without what a breaker turned away, where in doubt."""
    attempts = bucket.candidate.calls + bucket.candidate.retries
    calls = Calls(bucket.start, bucket.baseline, attempts, bucket.probes)
    refusals = with_calls(seen.refusals, calls, compare, seen.operations)
    seen = replace(seen, refusals=refusals)
    if not refusals.doubted(bucket.start):
        return seen, bucket
    strata = tuple(replace(each, candidate=without_refused(each.candidate)) for each in bucket.strata)
    return seen, replace(bucket, strata=strata, candidate=without_refused(bucket.candidate))


def design_effect_of(seen: Evidence, guardrails: Guardrails) -> float:
    """What somebody set, else what was measured before the attempt began, else the cautious default."""
    return seen.design_effect if guardrails.design_effect is None else guardrails.design_effect


def _policy(guardrails: Guardrails, design_effect: float) -> str:
    """What evidence was gathered against. How sure one must be is no part of it: wealth is what it is."""
    compare = guardrails.compare
    tolerated = compare and (compare.error_rate_ratio, compare.error_rate_margin, compare.latency_ratio)
    limits = (guardrails.max_error_rate, sorted(guardrails.max_latency_ms.items()))
    return repr((tolerated, limits, design_effect))


def _anew(seen: Evidence, policy: str) -> Evidence:
    return Evidence(
        policy=policy,
        design_effect=seen.design_effect,
        processes=seen.processes,
        operations=seen.operations,
        precheck=seen.precheck,
        refusals=seen.refusals,
        history=seen.history,
        keys_at=seen.keys_at,
        assignments=seen.assignments,
        newest=seen.newest,
    )


def _counted(seen: Evidence, bucket: Bucket) -> Evidence:
    baseline = sum(each.baseline.keys for each in bucket.strata)
    candidate = sum(each.candidate.keys for each in bucket.strata)
    keys_at, assignments = dict(seen.keys_at), dict(seen.assignments)
    for stratum in bucket.strata:
        at = keys_at.get(stratum.share, (0, 0))
        keys_at[stratum.share] = (at[0] + _units(stratum.baseline), at[1] + _units(stratum.candidate))
        arrived = Assignment(stratum.baseline.turnout, stratum.candidate.turnout)
        assignments[stratum.share] = assignments.get(stratum.share, Assignment()).plus(arrived)
    return replace(
        seen,
        baseline_keys=seen.baseline_keys + baseline,
        candidate_keys=seen.candidate_keys + candidate,
        baseline_bad_keys=seen.baseline_bad_keys + sum(each.baseline.bad_keys for each in bucket.strata),
        candidate_bad_keys=seen.candidate_bad_keys + sum(each.candidate.bad_keys for each in bucket.strata),
        keys_at=keys_at,
        assignments=assignments,
        missed_baseline=0.0 if baseline else seen.missed_baseline + _expected_baseline(seen, bucket),
        missed_candidate=0.0 if candidate else seen.missed_candidate + _expected_candidate(seen, bucket),
        newest=bucket.start,
    )


def _expected_candidate(seen: Evidence, bucket: Bucket) -> float:
    """How many keys the candidate should have had, by the share that assigned those of the baseline."""
    keys = _drawn(each.candidate for each in seen.assignments.values())
    return sum(keys(each.baseline) * each.share / max(1, FULL - each.share) for each in bucket.strata)


def _expected_baseline(seen: Evidence, bucket: Bucket) -> float:
    keys = _drawn(each.baseline for each in seen.assignments.values())
    return sum(keys(each.candidate) * (FULL - each.share) / max(1, each.share) for each in bucket.strata)


def _drawn(had: Iterable[Turnout]) -> Callable[[Arm], int]:
    """Which keys say that the other side should have some, by what it `had` up to now.

    One that has had keys should have them again. One that never had any may have lost every draw: keys that come again
    and again repeat the luck of one.
    """
    return (lambda arm: arm.keys) if any(each.keys for each in had) else (lambda arm: arm.fresh_keys)


def _units(arm: Arm) -> int:
    return arm.keys or arm.calls


def _compared(seen: Evidence, strata: Sequence[Stratum], compare: Compare, design_effect: float) -> Evidence:
    pairs = [Pair(s.candidate.keys, s.baseline.keys, s.candidate.bad_keys, s.baseline.bad_keys) for s in strata]
    ratio, margin = compare.error_rate_ratio, compare.error_rate_margin
    factors = evidence.comparison_factors(pairs, ratio=ratio, margin=margin, design_effect=design_effect)
    arrived = [(pair, stratum.candidate.fresh_keys) for pair, stratum in zip(pairs, strata, strict=True)]
    bets = proved(seen.proof, arrived, ratio=ratio, margin=margin, design_effect=design_effect)
    seen = replace(seen, errors=evidence.staked(seen.errors, factors), proof=bets)
    return _compared_latency(seen, strata, design_effect)


def _compared_latency(seen: Evidence, strata: Sequence[Stratum], design_effect: float) -> Evidence:
    """Edges come from the history before this bucket: an edge chosen from the bucket itself would fit it.

    The tolerance is in the counts already: services lower the candidate's rises by it before they remember a key, so
    that one memory serves both sides.
    """
    latency, slow = dict(seen.latency), dict(seen.slow)
    for quantile in LATENCY_QUANTILES:
        name = quantile_name(quantile)
        edge = edge_beyond(seen.history, 1 - quantile)
        if edge is None:
            continue
        pairs = [_slow_pair(stratum, edge) for stratum in strata]
        largest = max(2.0, 1 / (1 - quantile))
        factors = evidence.comparison_factors(
            pairs, ratio=1.0, margin=0.0, largest_bet=largest, design_effect=design_effect
        )
        capped = [min(factor, LARGEST_LATENCY_WIN) for factor in factors]
        latency[name] = evidence.staked(latency.get(name, Wealth()), capped)
        before = slow.get(name, (0, 0))
        slow[name] = (
            before[0] + sum(pair.baseline_bad for pair in pairs),
            before[1] + sum(pair.candidate_bad for pair in pairs),
        )
    return replace(seen, latency=latency, slow=slow, history=_grown(seen.history, strata))


def edge_beyond(history: Histogram, tail: float) -> int | None:
    """Which edge tells slow from fast, by what was seen before; None where nothing was."""
    edge = histogram.edge_for_tail(history, tail) if history else None
    return None if edge is None else max(edge, FINEST_EDGE)


def _slow_pair(stratum: Stratum, edge: int) -> Pair:
    return Pair(
        stratum.candidate.keys,
        stratum.baseline.keys,
        stratum.candidate.newly_slower(edge),
        stratum.baseline.newly_slower(edge),
    )


def _grown(history: Histogram, strata: Sequence[Stratum]) -> Histogram:
    grown = histogram.merge([history, *(each.baseline.key_latency for each in strata)])
    if histogram.size(grown) <= HISTORY_CAP:
        return grown
    return {index: count // 2 for index, count in grown.items() if count > 1}


def _measured(seen: Evidence, candidate: Arm, guardrails: Guardrails, design_effect: float) -> Evidence:
    """Absolute limits: on calls, of every assignment, since a limit is about what callers live through."""
    if guardrails.max_error_rate is not None:
        factors = evidence.threshold_factors(
            candidate.judged, candidate.bad, guardrails.max_error_rate, design_effect=design_effect
        )
        seen = replace(seen, max_error_rate=evidence.staked(seen.max_error_rate, factors))
    limits = dict(seen.max_latency)
    for name, milliseconds in guardrails.max_latency_ms.items():
        slow = histogram.above(candidate.latency, histogram.edge_at_or_above(milliseconds))
        calls, permitted = histogram.size(candidate.latency), 1 - quantile_of(name)
        factors = evidence.threshold_factors(calls, slow, permitted, design_effect=design_effect)
        limits[name] = evidence.staked(limits.get(name, Wealth()), factors)
    return replace(seen, max_latency=limits)


def quantile_of(name: str) -> float:
    """`p99` → 0.99, `p999` → 0.999, `p50` → 0.5."""
    digits = name.removeprefix("p")
    return float(int(digits) / 10 ** len(digits))


def quantile_name(quantile: float) -> str:
    """0.99 → `p99`, 0.999 → `p999`, 0.5 → `p50`."""
    digits = f"{quantile:.6f}".removeprefix("0.").rstrip("0")
    return "p" + digits.ljust(2, "0")
