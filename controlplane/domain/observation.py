"""Observation: what was seen of an operation, bucket by bucket, and the evidence gathered from it.

`gather` is pure: the same buckets in the same order give the same evidence, whatever process folds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controlplane.domain import evidence, histogram, tails
from controlplane.domain.arm import Arm, total
from controlplane.domain.assignment import Assignment
from controlplane.domain.attendance import assigned, expected_baseline, expected_candidate, keys_at
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.evidence import DESIGN_EFFECT, Pair, Wealth
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.histogram import Histogram
from controlplane.domain.outage import bet_on_outage, is_spent
from controlplane.domain.precheck import Precheck
from controlplane.domain.proof import LogBets, proved
from controlplane.domain.refusals import Calls, Refusals, with_calls, without_refused
from controlplane.domain.tails import Tails, quantile_of

_Changes = dict[str, Any]  # fields of an Evidence


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
    # One look asks for it five times.
    _log_latency: float | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_spent(self) -> bool:
        """Most keys of the candidate have failed before in this attempt, so that they cannot be bad any more."""
        fresh = sum(each.candidate.fresh for each in self.assignments.values())
        return is_spent(fresh, sum(each.candidate.bad for each in self.assignments.values()))

    @property
    def log_latency(self) -> float:
        """ln of the mean evidence over the latency edges."""
        log = self._log_latency
        if log is None:
            log = evidence.log_mean([each.log_evidence for each in self.latency.values()]) if self.latency else 0.0
            object.__setattr__(self, "_log_latency", log)
        return log


def gather(seen: Evidence, bucket: Bucket, guardrails: Guardrails) -> Evidence:
    """The evidence after one more sealed bucket."""
    effect = design_effect_of(seen, guardrails)
    policy = _policy(guardrails, effect)
    if seen.policy != policy:
        seen = _anew(seen, policy)
    # Collected and put in at once: a copy of two dozen fields costs as much as a bet.
    changes = _counted(seen, bucket)
    if compare := guardrails.compare:
        changes["refusals"], heeded = _heeded(seen, bucket, compare)
        if seen.is_spent:
            candidates = [each.candidate for each in heeded.strata]
            changes["outage"] = bet_on_outage(seen.outage, candidates, heeded.baseline, effect)
        changes |= _compared(seen, heeded.strata, compare, effect)
        bucket = heeded
    candidate = total([bucket.candidate, bucket.metrics]) if bucket.metrics.calls else bucket.candidate
    changes |= _measured(seen, candidate, guardrails, effect)
    return replace(seen, **changes)


def _heeded(seen: Evidence, bucket: Bucket, compare: Compare) -> tuple[Refusals, Bucket]:
    """The bucket as it may be held against the candidate: without what a breaker turned away, where in doubt."""
    attempts = bucket.candidate.calls + bucket.candidate.retries
    calls = Calls(bucket.start, bucket.baseline, attempts, bucket.probes)
    refusals = with_calls(seen.refusals, calls, compare, seen.operations)
    if not refusals.doubted(bucket.start):
        return refusals, bucket
    strata = tuple(replace(each, candidate=without_refused(each.candidate)) for each in bucket.strata)
    return refusals, replace(bucket, strata=strata, candidate=without_refused(bucket.candidate))


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


def _counted(seen: Evidence, bucket: Bucket) -> _Changes:
    strata = bucket.strata
    baseline = sum(each.baseline.keys for each in strata)
    candidate = sum(each.candidate.keys for each in strata)
    return {
        "baseline_keys": seen.baseline_keys + baseline,
        "candidate_keys": seen.candidate_keys + candidate,
        "baseline_bad_keys": seen.baseline_bad_keys + sum(each.baseline.bad_keys for each in strata),
        "candidate_bad_keys": seen.candidate_bad_keys + sum(each.candidate.bad_keys for each in strata),
        "keys_at": keys_at(seen.keys_at, strata),
        "assignments": assigned(seen.assignments, strata),
        "missed_baseline": 0.0 if baseline else seen.missed_baseline + expected_baseline(seen.assignments, strata),
        "missed_candidate": 0.0 if candidate else seen.missed_candidate + expected_candidate(seen.assignments, strata),
        "newest": bucket.start,
    }


def _compared(seen: Evidence, strata: Sequence[Stratum], compare: Compare, design_effect: float) -> _Changes:
    pairs = [Pair(s.candidate.keys, s.baseline.keys, s.candidate.bad_keys, s.baseline.bad_keys) for s in strata]
    ratio, margin = compare.error_rate_ratio, compare.error_rate_margin
    factors = evidence.comparison_factors(pairs, ratio=ratio, margin=margin, design_effect=design_effect)
    arrived = [(pair, stratum.candidate.fresh_keys) for pair, stratum in zip(pairs, strata, strict=True)]
    slow = tails.compared(Tails(seen.latency, seen.slow, seen.history), strata, design_effect)
    return {
        "errors": evidence.staked(seen.errors, factors),
        "proof": proved(seen.proof, arrived, ratio=ratio, margin=margin, design_effect=design_effect),
        "latency": slow.latency,
        "slow": slow.slow,
        "history": slow.history,
    }


def _measured(seen: Evidence, candidate: Arm, guardrails: Guardrails, design_effect: float) -> _Changes:
    """Absolute limits: on calls, of every assignment, since a limit is about what callers live through."""
    changes: _Changes = {}
    if guardrails.max_error_rate is not None:
        factors = evidence.threshold_factors(
            candidate.judged, candidate.bad, guardrails.max_error_rate, design_effect=design_effect
        )
        changes["max_error_rate"] = evidence.staked(seen.max_error_rate, factors)
    limits = dict(seen.max_latency)
    for name, milliseconds in guardrails.max_latency_ms.items():
        slow = histogram.above(candidate.latency, histogram.edge_at_or_above(milliseconds))
        calls, permitted = histogram.size(candidate.latency), 1 - quantile_of(name)
        factors = evidence.threshold_factors(calls, slow, permitted, design_effect=design_effect)
        limits[name] = evidence.staked(limits.get(name, Wealth()), factors)
    return changes | {"max_latency": limits}
