"""Observation: what was seen of an operation, bucket by bucket, and the evidence gathered from it.

`gather` is pure: the same buckets in the same order give the same evidence, whatever process folds them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controlplane.domain import evidence, histogram
from controlplane.domain.evidence import Pair, Wealth
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.histogram import Histogram
from controlplane.domain.share import FULL

LATENCY_QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
# One pause of a process slows many keys at once. A capped win is still a fair bet, and a slowness must last two or
# three buckets before it rolls anything back.
LARGEST_LATENCY_WIN = math.log(20.0)
HISTORY_CAP = 2_000_000  # keys: beyond it the baseline's history is halved, so that it follows the day


@dataclass(frozen=True, slots=True)
class Arm:
    """Counts of one side. `bad` calls are errors and pending ones; cancelled calls are neither good nor bad.

    `retries`, `fallbacks`, `unknown`, `shadow` and `ratio` are shown and never judged (docs/protocol.md).
    """

    calls: int = 0
    bad: int = 0
    cancelled: int = 0
    pending: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=dict)
    keys: int = 0
    bad_keys: int = 0
    key_latency: Histogram = field(default_factory=dict)
    rise_from: Histogram = field(default_factory=dict)
    rise_to: Histogram = field(default_factory=dict)
    retries: int = 0
    fallbacks: int = 0
    unknown: int = 0
    shadow: Mapping[str, int] = field(default_factory=dict)
    ratio: Histogram = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """Calls with an outcome that counts."""
        return self.calls - self.cancelled

    @property
    def error_rate(self) -> float | None:
        return self.bad / self.judged if self.judged else None

    def newly_slower(self, index: int) -> int:
        """Keys that were slower than an edge for the first time in the attempt."""
        return max(0, histogram.above(self.rise_to, index) - histogram.above(self.rise_from, index))


def total(arms: Sequence[Arm]) -> Arm:
    """The sum of counts."""
    return Arm(
        calls=sum(arm.calls for arm in arms),
        bad=sum(arm.bad for arm in arms),
        cancelled=sum(arm.cancelled for arm in arms),
        pending=sum(arm.pending for arm in arms),
        errors=_summed(arm.errors for arm in arms),
        latency=histogram.merge(arm.latency for arm in arms),
        keys=sum(arm.keys for arm in arms),
        bad_keys=sum(arm.bad_keys for arm in arms),
        key_latency=histogram.merge(arm.key_latency for arm in arms),
        rise_from=histogram.merge(arm.rise_from for arm in arms),
        rise_to=histogram.merge(arm.rise_to for arm in arms),
        retries=sum(arm.retries for arm in arms),
        fallbacks=sum(arm.fallbacks for arm in arms),
        unknown=sum(arm.unknown for arm in arms),
        shadow=_summed(arm.shadow for arm in arms),
        ratio=histogram.merge(arm.ratio for arm in arms),
    )


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            found[name] = found.get(name, 0) + count
    return found


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both arms of the calls that one share assigned. Strata of different shares are never pooled."""

    share: int
    baseline: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True)
class Bucket:
    """One operation in one sealed bucket: what the share assigned, and everything there was."""

    start: int
    strata: tuple[Stratum, ...]
    baseline: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt has shown about one operation so far. Restarts when the limits it tests are changed."""

    policy: str = ""
    errors: Wealth = Wealth()
    latency: Mapping[str, Wealth] = field(default_factory=dict)
    max_error_rate: Wealth = Wealth()
    max_latency: Mapping[str, Wealth] = field(default_factory=dict)
    history: Histogram = field(default_factory=dict)
    baseline_keys: int = 0
    baseline_bad_keys: int = 0
    candidate_keys: int = 0
    candidate_bad_keys: int = 0
    slow: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    keys_at: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    missed_baseline: float = 0.0
    missed_candidate: float = 0.0
    newest: int | None = None

    @property
    def log_latency(self) -> float:
        """ln of the mean evidence over the latency edges."""
        return evidence.log_mean([each.log_evidence for each in self.latency.values()]) if self.latency else 0.0


def gather(seen: Evidence, bucket: Bucket, guardrails: Guardrails) -> Evidence:
    """The evidence after one more sealed bucket."""
    policy = _policy(guardrails)
    if seen.policy != policy:
        seen = Evidence(policy=policy, history=seen.history, keys_at=seen.keys_at, newest=seen.newest)
    seen = _counted(seen, bucket)
    if guardrails.compare:
        seen = _compared(seen, bucket.strata, guardrails.compare)
    return _measured(seen, bucket.candidate, guardrails)


def _policy(guardrails: Guardrails) -> str:
    return repr((guardrails.compare, guardrails.max_error_rate, sorted(guardrails.max_latency_ms.items())))


def _counted(seen: Evidence, bucket: Bucket) -> Evidence:
    baseline = sum(each.baseline.keys for each in bucket.strata)
    candidate = sum(each.candidate.keys for each in bucket.strata)
    keys_at = dict(seen.keys_at)
    for stratum in bucket.strata:
        at = keys_at.get(stratum.share, (0, 0))
        keys_at[stratum.share] = (at[0] + _units(stratum.baseline), at[1] + _units(stratum.candidate))
    return replace(
        seen,
        baseline_keys=seen.baseline_keys + baseline,
        candidate_keys=seen.candidate_keys + candidate,
        baseline_bad_keys=seen.baseline_bad_keys + sum(each.baseline.bad_keys for each in bucket.strata),
        candidate_bad_keys=seen.candidate_bad_keys + sum(each.candidate.bad_keys for each in bucket.strata),
        keys_at=keys_at,
        missed_baseline=0.0 if baseline else seen.missed_baseline + _expected_baseline(bucket),
        missed_candidate=0.0 if candidate else seen.missed_candidate + _expected_candidate(bucket),
        newest=bucket.start,
    )


def _expected_candidate(bucket: Bucket) -> float:
    """How many keys the candidate should have had, by the share that assigned those of the baseline."""
    return sum(each.baseline.keys * each.share / max(1, FULL - each.share) for each in bucket.strata)


def _expected_baseline(bucket: Bucket) -> float:
    return sum(each.candidate.keys * (FULL - each.share) / max(1, each.share) for each in bucket.strata)


def _units(arm: Arm) -> int:
    return arm.keys or arm.calls


def _compared(seen: Evidence, strata: Sequence[Stratum], compare: Compare) -> Evidence:
    pairs = [Pair(s.candidate.keys, s.baseline.keys, s.candidate.bad_keys, s.baseline.bad_keys) for s in strata]
    factors = evidence.comparison_factors(pairs, ratio=compare.error_rate_ratio, margin=compare.error_rate_margin)
    seen = replace(seen, errors=evidence.staked(seen.errors, factors))
    return _compared_latency(seen, strata)


def _compared_latency(seen: Evidence, strata: Sequence[Stratum]) -> Evidence:
    """Edges come from the history before this bucket: an edge chosen from the bucket itself would fit it.

    The tolerance is in the counts already: services lower the candidate's rises by it before they remember a key, so
    that one memory serves both sides.
    """
    latency, slow = dict(seen.latency), dict(seen.slow)
    for quantile in LATENCY_QUANTILES:
        name = quantile_name(quantile)
        edge = histogram.edge_for_tail(seen.history, 1 - quantile) if seen.history else None
        if edge is None:
            continue
        pairs = [_slow_pair(stratum, edge) for stratum in strata]
        largest = max(2.0, 1 / (1 - quantile))
        factors = evidence.comparison_factors(pairs, ratio=1.0, margin=0.0, largest_bet=largest)
        capped = [min(factor, LARGEST_LATENCY_WIN) for factor in factors]
        latency[name] = evidence.staked(latency.get(name, Wealth()), capped)
        before = slow.get(name, (0, 0))
        slow[name] = (
            before[0] + sum(pair.baseline_bad for pair in pairs),
            before[1] + sum(pair.candidate_bad for pair in pairs),
        )
    return replace(seen, latency=latency, slow=slow, history=_grown(seen.history, strata))


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


def _measured(seen: Evidence, candidate: Arm, guardrails: Guardrails) -> Evidence:
    """Absolute limits: on calls, of every assignment, since a limit is about what callers live through."""
    if guardrails.max_error_rate is not None:
        factors = evidence.threshold_factors(candidate.judged, candidate.bad, guardrails.max_error_rate)
        seen = replace(seen, max_error_rate=evidence.staked(seen.max_error_rate, factors))
    limits = dict(seen.max_latency)
    for name, milliseconds in guardrails.max_latency_ms.items():
        slow = histogram.above(candidate.latency, histogram.edge_at_or_above(milliseconds))
        factors = evidence.threshold_factors(histogram.size(candidate.latency), slow, 1 - quantile_of(name))
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
