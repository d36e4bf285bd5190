"""Health: judging one operation's guardrails against what was seen of it. Pure; every finding carries its sentence."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from controlplane.domain import evidence, histogram, stakes
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.gates import gates
from controlplane.domain.guardrails import Compare, Guardrails, OnBreach
from controlplane.domain.observation import Evidence
from controlplane.domain.rates import at_least
from controlplane.domain.sample import Sample
from controlplane.domain.silence import silence
from controlplane.domain.tails import quantile_of
from controlplane.domain.words import count, one_in, percent, seconds

LEAST_BAD_KEYS = 3  # an outage of two keys is a story about two keys
LEAST_TOLD = 2.0  # "1 in N": every second harmless candidate looks worse than that, so it says nothing
_STAKE = math.log(stakes.COMPARISON)


def flag_evidence(operations: Sequence[Evidence]) -> float:
    """ln E of a whole flag: the mean over operations of half error, half latency evidence, by the part of its stake.

    The false-rollback probability α belongs to the attempt of the flag, so its operations share one wealth.
    """
    return _STAKE + evidence.log_mean([_log_evidence(seen) for seen in operations]) if operations else 0.0


def shared_evidence(operations: Mapping[str, Evidence]) -> dict[str, float]:
    """Operation → ln of what its evidence is worth among those of the flag, each of which may be taken back."""
    shared = evidence.log_shared([_log_evidence(seen) for seen in operations.values()])
    return {name: _STAKE + each for name, each in zip(operations, shared, strict=True)}


def _log_evidence(seen: Evidence) -> float:
    return evidence.log_mean([seen.errors.log_evidence, seen.log_latency])


def judge(guardrails: Guardrails, sample: Sample, overall: float) -> tuple[Finding, ...]:
    """Every guardrail of one operation, judged; `overall` is its evidence among the others' (`shared_evidence`)."""
    found = (
        *_comparisons(guardrails, sample, overall),
        *_outage(guardrails, sample),
        *_limits(guardrails, sample, overall),
        *gates(guardrails, sample),
        *silence(guardrails, sample),
    )
    return found if guardrails.on_breach is not OnBreach.REPORT else tuple(_rehearsed(each) for each in found)


def _rehearsed(finding: Finding) -> Finding:
    """A policy that may only report takes nothing back: not for a breach, and not for silence."""
    taken_back = finding.consequence is Consequence.ROLL_BACK
    return replace(finding, consequence=Consequence.REPORT) if taken_back else finding


def _comparisons(guardrails: Guardrails, sample: Sample, overall: float) -> Iterator[Finding]:
    if guardrails.compare is None or not sample.has_control:
        return
    seen = sample.evidence
    yield _comparison(guardrails, sample, overall, "errors", seen.errors.log_evidence, seen.candidate_bad_keys)
    slowest = max(seen.slow.values(), key=lambda pair: pair[1], default=(0, 0))
    yield _comparison(guardrails, sample, overall, "latency", seen.log_latency, slowest[1])


def _comparison(
    guardrails: Guardrails, sample: Sample, overall: float, metric: str, log_evidence: float, bad_keys: int
) -> Finding:
    compare = guardrails.compare
    needed = -math.log(compare.alpha) if compare else 0.0
    guilty = min(log_evidence, overall) >= needed and bad_keys >= LEAST_BAD_KEYS
    suspicious = not guilty and log_evidence >= evidence.SUSPICIOUS
    verdict = Verdict.UNHEALTHY if guilty else Verdict.INCONCLUSIVE if suspicious else Verdict.HEALTHY
    sentence = _error_sentence(sample) if metric == "errors" else _latency_sentence(sample)
    if metric == "errors" and (guilty or suspicious):
        times = at_least(sample.evidence, guardrails)
        sentence += f", {times}" if times else ""
    shown = f"{sentence}; {_told(log_evidence, overall, needed, bad_keys)}"
    return Finding(
        operation=sample.operation,
        guardrail=f"{metric}_vs_baseline",
        verdict=verdict,
        sentence=f"{shown}: suspicious" if suspicious else shown,
        consequence=on_breach(guardrails) if guilty else Consequence.HOLD if suspicious else Consequence.NONE,
        numbers={
            **_compared_numbers(sample),
            "log_evidence": log_evidence,
            "log_limit": needed,
            "log_overall": overall,
        },
    )


def _told(log_evidence: float, overall: float, needed: float, bad_keys: int) -> str:
    """Evidence beside its limit; where it is beyond, and not enough all the same, why."""
    if evidence.one_in(log_evidence) < LEAST_TOLD:
        return "no evidence against it"
    told = f"evidence 1 in {one_in(log_evidence)}, limit 1 in {one_in(needed)}"
    if log_evidence < needed:
        return told
    if overall < needed:
        return f"{told}, but 1 in {one_in(overall)} beside what else of the flag is compared"
    return told if bad_keys >= LEAST_BAD_KEYS else f"{told}, but of fewer than {LEAST_BAD_KEYS} keys"


def _compared_numbers(sample: Sample) -> dict[str, float | int | None]:
    seen = sample.evidence
    return {
        "candidate_keys": seen.candidate_keys,
        "candidate_bad_keys": seen.candidate_bad_keys,
        "baseline_keys": seen.baseline_keys,
        "baseline_bad_keys": seen.baseline_bad_keys,
    }


def _error_sentence(sample: Sample) -> str:
    seen = sample.evidence
    return (
        f"{sample.operation}: {sample.candidate_name} failed for {count(seen.candidate_bad_keys)} of "
        f"{count(seen.candidate_keys)} keys, {sample.baseline_name} for {count(seen.baseline_bad_keys)} of "
        f"{count(seen.baseline_keys)} at the same time"
    )


def _latency_sentence(sample: Sample) -> str:
    sides = ((sample.candidate_name, sample.candidate), (sample.baseline_name, sample.baseline))
    (ours, candidate), (theirs, baseline) = ((name, histogram.quantile_ms(side.latency, 0.99)) for name, side in sides)
    if candidate is None or baseline is None:
        silent = " and ".join(name for name, p99 in ((ours, candidate), (theirs, baseline)) if p99 is None)
        return f"{sample.operation}: no call to {silent} was answered of late"
    return f"{sample.operation}: {ours} answers within {_ms(candidate)} (p99), {theirs} within {_ms(baseline)}"


def _ms(milliseconds: float) -> str:
    return seconds(milliseconds / 1000)


def _outage(guardrails: Guardrails, sample: Sample) -> Iterator[Finding]:
    """Said only where keys can no longer tell; the flag's operations share its α."""
    seen = sample.evidence
    if guardrails.compare is None or not sample.has_control or not seen.outage.buckets:
        return
    needed = stakes.log_needed(guardrails.compare.alpha, stakes.OUTAGE, sample.operations)
    dead = seen.outage.log_evidence >= needed
    rates = [percent(side.error_rate or 0.0) for side in (sample.candidate, sample.baseline)]
    sentence = (
        f"{sample.operation}: {rates[0]} of calls to {sample.candidate_name} fail, {rates[1]} of those to "
        f"{sample.baseline_name}; most of its keys have failed before, so calls are counted: evidence 1 in "
        f"{one_in(seen.outage.log_evidence)} that it is dead, limit 1 in {one_in(needed)}"
    )
    verdict, consequence = (Verdict.UNHEALTHY, on_breach(guardrails)) if dead else (Verdict.HEALTHY, Consequence.NONE)
    numbers = {"log_evidence": seen.outage.log_evidence, "log_limit": needed, "value": sample.candidate.error_rate}
    yield Finding(sample.operation, "outage", verdict, sentence, consequence, numbers)


def _limits(guardrails: Guardrails, sample: Sample, overall: float) -> Iterator[Finding]:
    if guardrails.max_error_rate is not None:
        rate = sample.candidate.error_rate
        shown = f"{percent(rate or 0.0)} of calls to {sample.candidate_name} fail"
        told = f"no calls to {sample.candidate_name} of late" if rate is None else shown
        sentence = f"{sample.operation}: {told}, limit {percent(guardrails.max_error_rate)}"
        numbers = {"value": rate, "limit": guardrails.max_error_rate, "baseline": sample.baseline.error_rate}
        log_limit = sample.evidence.max_error_rate.log_evidence
        support = min(sample.evidence.errors.log_evidence, overall)
        yield _limit(guardrails, sample, "max_error_rate", sentence, numbers, (log_limit, support))
    for name, milliseconds in guardrails.max_latency_ms.items():
        value = histogram.quantile_ms(sample.candidate.latency, quantile_of(name))
        baseline = histogram.quantile_ms(sample.baseline.latency, quantile_of(name))
        shown = "not known" if value is None else _ms(value)
        sentence = f"{sample.operation}: {name} of {sample.candidate_name} is {shown}, limit {_ms(milliseconds)}"
        wealth = sample.evidence.max_latency.get(name, evidence.Wealth())
        support = min(sample.evidence.log_latency, overall)
        numbers = {"value": value, "limit": milliseconds, "baseline": baseline}
        yield _limit(guardrails, sample, f"max_latency_{name}", sentence, numbers, (wealth.log_evidence, support))


def _limit(
    guardrails: Guardrails,
    sample: Sample,
    name: str,
    sentence: str,
    numbers: dict[str, float | None],
    logs: tuple[float, float],
) -> Finding:
    """A limit rolls back only where the comparison supports it: a baseline that is bad too is no reason to go back."""
    log_limit, support = logs
    needed = _needed_of_a_limit(guardrails, sample.operations)
    broken = log_limit >= needed
    alone = guardrails.compare is None or not sample.has_control
    supported = alone or support >= evidence.SUPPORT
    verdict, consequence = Verdict.HEALTHY, Consequence.NONE
    if broken:  # the window may be full of good calls, from before or from after
        sentence += f"; above it of late, evidence 1 in {one_in(log_limit)}"
    if broken and supported:
        verdict, consequence = Verdict.UNHEALTHY, on_breach(guardrails)
        sentence += "; there is nothing to compare it with" if alone else ""
    elif broken:
        verdict, consequence = Verdict.INCONCLUSIVE, Consequence.HOLD
        sentence += f"; {sample.baseline_name} shows no difference, so going back would not help"
    shown = {**numbers, "log_evidence": log_limit, "log_limit": needed}
    return Finding(sample.operation, name, verdict, sentence, consequence, shown)


def _needed_of_a_limit(guardrails: Guardrails, operations: int) -> float:
    """All limits of all operations share one part of α."""
    number = (guardrails.max_error_rate is not None) + len(guardrails.max_latency_ms)
    part = stakes.LIMITS if guardrails.compare else 1.0
    return stakes.log_needed((guardrails.compare or Compare()).alpha, part, max(1, number) * operations)


def on_breach(guardrails: Guardrails) -> Consequence:
    return {
        OnBreach.ROLLBACK: Consequence.ROLL_BACK,
        OnBreach.HOLD: Consequence.HOLD,
        OnBreach.REPORT: Consequence.REPORT,
    }[guardrails.on_breach]
