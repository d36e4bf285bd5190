"""Ledger: which sealed buckets went into the evidence of one operation, so that the same ones can be found again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from controlplane.domain.arm import Arm
from controlplane.domain.bucket import Bucket, Stratum

_COUNTED = ("calls", "bad", "cancelled", "keys", "bad_keys")
_HISTOGRAMS = ("latency", "key_latency", "rise_from", "rise_to")


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


def noted(ledger: Ledger, bucket: Bucket) -> Ledger:
    """The ledger after one more bucket. Rows that were split or merged on their way give the same one."""
    strata = dict(ledger.strata)
    for stratum in bucket.strata:
        strata[stratum.share] = _added(strata.get(stratum.share, Counts()), stratum)
    return replace(
        ledger,
        first=bucket.start if ledger.first is None else ledger.first,
        last=bucket.start,
        buckets=ledger.buckets + 1,
        digest=hashlib.sha256(f"{ledger.digest}{_canonical(bucket)}".encode()).hexdigest(),
        strata=strata,
    )


def _added(counts: Counts, stratum: Stratum) -> Counts:
    sides = {"baseline": stratum.baseline, "candidate": stratum.candidate}
    grown = {
        f"{side}_{name}": getattr(counts, f"{side}_{name}") + getattr(arm, name)
        for side, arm in sides.items()
        for name in ("calls", "bad", "keys", "bad_keys")
    }
    return Counts(**grown)


def _canonical(bucket: Bucket) -> str:
    """What a bucket says to a judge, written down in one way only."""
    strata = [[each.share, _arm(each.baseline), _arm(each.candidate)] for each in bucket.strata]
    both = [_arm(bucket.baseline), _arm(bucket.candidate)]
    probes = [[bucket.probes.judged, bucket.probes.bad]] if bucket.probes.judged else []
    metrics = [_arm(bucket.metrics)] if bucket.metrics.calls else []
    return json.dumps([bucket.start, strata, *both, *probes, *metrics], separators=(",", ":"))


def _arm(arm: Arm) -> list[object]:
    """Without what is shown and never judged; an empty arm is short."""
    if not arm.calls and not arm.keys:
        return []
    histograms = [sorted((i, n) for i, n in getattr(arm, name).items() if n) for name in _HISTOGRAMS]
    return [*(getattr(arm, name) for name in _COUNTED), *histograms]
