"""No worse: is the candidate shown to fail no more often, and to answer no more slowly, than the baseline beside it?

Silence of the comparison proves nothing, so a pass needs the proof of `proof`: the bet against a candidate that is
worse by more than the margin. A fail needs an interval that lies beyond the margin. Between the two there is not
enough data. The sums of an hour do as well as those of its buckets: only the counts matter, and the part of the keys
that a share sends to the candidate is the same in all of them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controlplane.domain import histogram
from controlplane.domain.bucket import Bucket, Stratum
from controlplane.domain.criteria import Outcome, Point
from controlplane.domain.evidence import Pair
from controlplane.domain.guardrails import Compare
from controlplane.domain.histogram import Histogram
from controlplane.domain.intervals import rate_interval, ratio_interval
from controlplane.domain.proof import LogBets, log_proof, proved
from controlplane.domain.tails import edges_beyond
from controlplane.domain.words import count, one_in, percent, seconds

_TAIL = 0.01  # beyond the p99

Strata = list[tuple[int, Pair, int]]  # of one bucket: share, pair, the candidate's keys that came for the first time


@dataclass(frozen=True, slots=True)
class Compared:
    """One operation in the attempt that compared both sides, and what was tolerated there."""

    operation: str
    baseline: str
    candidate: str
    compare: Compare | None
    design_effect: float
    buckets: tuple[Bucket, ...]


def errors_no_worse(seen: Compared) -> Point:
    """No increase in error rate, within the stated margin."""
    if seen.compare is None:
        return _nothing(seen)
    margin = f"{seen.compare.error_rate_ratio:g} × as many + {percent(seen.compare.error_rate_margin)}"
    return _point(seen, seen.compare, list(_failures(seen.buckets)), "failed", f"at most {margin} is tolerated")


def latency_no_worse(seen: Compared) -> Point:
    """No more keys beyond the baseline's p99, as the hours before had it, than it has itself.

    The tolerated stretch is in the counts already: services take it off before they report.
    """
    if seen.compare is None:
        return _nothing(seen)
    tolerated = f"{seen.compare.latency_ratio:g} × the p99 of {seen.baseline}"
    margin = f"{seen.compare.error_rate_ratio:g} × as many + {percent(seen.compare.error_rate_margin)}"
    point = _point(
        seen, seen.compare, list(_slow(seen.buckets)), f"were slower than {tolerated}", f"at most {margin} is tolerated"
    )
    ours, theirs = (_p99([getattr(each, side).latency for each in seen.buckets]) for side in ("candidate", "baseline"))
    told = f"{point.sentence}; p99 {_ms(ours)} and {_ms(theirs)}"
    numbers = {**point.numbers, "candidate_p99_ms": ours, "baseline_p99_ms": theirs}
    return Point(point.outcome, told, point.subject, numbers)


def _failures(buckets: Sequence[Bucket]) -> Iterator[Strata]:
    for bucket in buckets:
        yield [_stratum(each, each.candidate.bad_keys, each.baseline.bad_keys) for each in bucket.strata]


def _slow(buckets: Sequence[Bucket]) -> Iterator[Strata]:
    """An edge chosen from a bucket itself would fit it: the first one is only learnt from."""
    history: Histogram = {}
    for bucket in buckets:
        (edge,) = edges_beyond(history, [_TAIL])
        if edge is not None:
            yield [
                _stratum(each, each.candidate.newly_slower(edge), each.baseline.newly_slower(edge))
                for each in bucket.strata
            ]
        history = histogram.merge([history, *(each.baseline.key_latency for each in bucket.strata)])


def _stratum(each: Stratum, ours: int, theirs: int) -> tuple[int, Pair, int]:
    return each.share, Pair(each.candidate.keys, each.baseline.keys, ours, theirs), each.candidate.fresh_keys


def _by_share(buckets: Sequence[Strata]) -> list[Pair]:
    """One pair a share: all of its hours drew the same part of the keys."""
    sums: dict[int, tuple[int, ...]] = {}
    for share, pair, _ in (each for strata in buckets for each in strata):
        if pair.candidate and pair.baseline:
            new = (pair.candidate, pair.baseline, pair.candidate_bad, pair.baseline_bad)
            sums[share] = tuple(a + b for a, b in zip(sums.get(share, (0, 0, 0, 0)), new, strict=True))
    return [Pair(*each) for each in sums.values()]


def _point(seen: Compared, compare: Compare, buckets: list[Strata], what: str, tolerated: str) -> Point:
    both = _by_share(buckets)
    if not both:
        return _nothing(seen)
    bets: LogBets = ()
    ratio, margin = compare.error_rate_ratio, compare.error_rate_margin
    for strata in buckets:
        arrived = [(pair, fresh) for _, pair, fresh in strata]
        bets = proved(bets, arrived, ratio=ratio, margin=margin, design_effect=seen.design_effect)
    log_evidence, needed = log_proof(bets), -math.log(compare.beta)
    ours, theirs = _sum(both, "candidate"), _sum(both, "baseline")
    worse = ratio_interval(both, confidence=1 - compare.alpha, design_effect=seen.design_effect)
    is_worse = worse.low > ratio and ours[0] / ours[1] > ratio * theirs[0] / theirs[1] + margin
    outcome = Outcome.FAILED if is_worse else Outcome.PASSED if log_evidence >= needed else Outcome.UNKNOWN
    sides = ((seen.candidate, ours), (seen.baseline, theirs))
    rates = " and ".join(_rate(name, of, seen, compare) for name, of in sides)
    proof = f"evidence 1 in {one_in(log_evidence)} that it is no worse, needed 1 in {one_in(needed)}"
    word = {Outcome.PASSED: "shown", Outcome.FAILED: "worse", Outcome.UNKNOWN: "not shown yet"}[outcome]
    told = f"{seen.operation}: {what}: {rates}; {tolerated}: {word}; {proof}"
    numbers = {
        **{f"candidate_{name}": value for name, value in zip(("bad_keys", "keys"), ours, strict=True)},
        **{f"baseline_{name}": value for name, value in zip(("bad_keys", "keys"), theirs, strict=True)},
        "ratio_low": worse.low,
        "ratio_high": worse.high if math.isfinite(worse.high) else None,
        "confidence": 1 - compare.alpha,
        "tolerated_ratio": ratio,
        "tolerated_margin": margin,
        "log_evidence": log_evidence,
        "log_needed": needed,
    }
    return Point(outcome, told, seen.operation, numbers)


def _nothing(seen: Compared) -> Point:
    why = "its guardrails compare nothing" if seen.compare is None else "the share has not sent keys to both sides yet"
    return Point(Outcome.UNKNOWN, f"{seen.operation}: {why}", seen.operation)


def _sum(pairs: Sequence[Pair], side: str) -> tuple[int, int]:
    """(bad keys, keys) of one side."""
    return sum(getattr(each, f"{side}_bad") for each in pairs), sum(getattr(each, side) for each in pairs)


def _rate(name: str, of: tuple[int, int], seen: Compared, compare: Compare) -> str:
    bad, keys = of
    within = rate_interval(bad, keys, confidence=1 - compare.alpha, design_effect=seen.design_effect)
    interval = f"{percent(within.low)} … {percent(within.high)}"
    return f"{name} {count(bad)} of {count(keys)} keys ({percent(bad / keys)}, {interval})"


def _p99(latencies: Sequence[Histogram]) -> float | None:
    return histogram.quantile_ms(histogram.merge(latencies), 0.99)


def _ms(milliseconds: float | None) -> str:
    return "unknown" if milliseconds is None else seconds(milliseconds / 1000)
