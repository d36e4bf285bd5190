"""Ledger: which sealed buckets went into the evidence of one operation, so that the same ones can be found again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controlplane.domain.arm import Arm
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Counts:
    """Both sides at one share over all buckets: calls and bad calls, keys and bad keys."""

    baseline_calls: int = 0
    baseline_bad: int = 0
    baseline_keys: int = 0
    baseline_bad_keys: int = 0
    candidate_calls: int = 0
    candidate_bad: int = 0
    candidate_keys: int = 0
    candidate_bad_keys: int = 0

    @property
    def rho(self) -> float | None:
        """The candidate's part of the keys; None without any."""
        keys = self.baseline_keys + self.candidate_keys
        return self.candidate_keys / keys if keys else None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The buckets from `first` to `last` (their starts), `buckets` of them; `digest` chains what each one held."""

    first: int | None = None
    last: int | None = None
    buckets: int = 0
    digest: str = ""
    strata: Mapping[int, Counts] = field(default_factory=dict)


_NONE = Counts()


def noted(ledger: Ledger, bucket: Bucket) -> Ledger:
    """The ledger after one more bucket. Rows that were split or merged on their way give the same one."""
    strata = dict(ledger.strata)
    for stratum in bucket.strata:
        strata[stratum.share] = _added(strata.get(stratum.share, _NONE), stratum)
    return replace(
        ledger,
        first=bucket.start if ledger.first is None else ledger.first,
        last=bucket.start,
        buckets=ledger.buckets + 1,
        digest=hashlib.sha256(f"{ledger.digest}{_canonical(bucket)}".encode()).hexdigest(),
        strata=strata,
    )


def _added(counts: Counts, stratum: Stratum) -> Counts:
    baseline, candidate = stratum.baseline, stratum.candidate
    return Counts(
        counts.baseline_calls + baseline.calls,
        counts.baseline_bad + baseline.bad,
        counts.baseline_keys + baseline.keys,
        counts.baseline_bad_keys + baseline.bad_keys,
        counts.candidate_calls + candidate.calls,
        counts.candidate_bad + candidate.bad,
        counts.candidate_keys + candidate.keys,
        counts.candidate_bad_keys + candidate.bad_keys,
    )


def _canonical(bucket: Bucket) -> str:
    """What a bucket says to a judge, written down in one way only: JSON without spaces, put together by hand, which
    takes a third of the time.
    """
    known: dict[int, str] = {}
    strata = [f"[{each.share},{_arm(each.baseline, known)},{_arm(each.candidate, known)}]" for each in bucket.strata]
    parts = [f"{bucket.start},[{','.join(strata)}]", _arm(bucket.baseline, known), _arm(bucket.candidate, known)]
    if bucket.probes.judged:
        parts.append(f"[{bucket.probes.judged},{bucket.probes.bad}]")
    if bucket.metrics.calls:
        parts.append(_arm(bucket.metrics, known))
    return f"[{','.join(parts)}]"


def _arm(arm: Arm, known: dict[int, str]) -> str:
    """Without what is shown and never judged; an empty arm is short. What one share assigned is mostly all there was,
    and the same object: it is written once.
    """
    if not arm.calls and not arm.keys:
        return "[]"
    if id(arm) not in known:
        counts = f"{arm.calls},{arm.bad},{arm.cancelled},{arm.keys},{arm.bad_keys}"
        histograms = [_pairs(each) for each in (arm.latency, arm.key_latency, arm.rise_from, arm.rise_to)]
        known[id(arm)] = f"[{counts},{','.join(histograms)}]"
    return known[id(arm)]


def _pairs(histogram: Histogram) -> str:
    return f"[{','.join([f'[{index},{number}]' for index, number in sorted(histogram.items()) if number])}]"
