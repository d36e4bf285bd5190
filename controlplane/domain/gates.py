"""Gates: what keeps a rollout where it is although nothing speaks against the candidate itself.

Halves of the baseline's keys that differ before anybody is exposed hold it, and so do keys that are not assigned as the
share says: what is compared would not be like with like. A stage that asks for proof is not left before the candidate
is shown to be no worse than the guardrails tolerate.
"""

import math
from collections.abc import Iterator

from controlplane.domain.assignment import log_mismatch, most_conspicuous
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.precheck import ALARM, told
from controlplane.domain.proof import log_proof
from controlplane.domain.sample import Sample
from controlplane.domain.share import FULL, to_percent
from controlplane.domain.words import count, one_in, percent


def gates(guardrails: Guardrails, sample: Sample) -> Iterator[Finding]:
    """The findings of the gates, where they apply."""
    compare = guardrails.compare
    if compare is None:
        return
    if guardrails.design_effect is None:
        yield _halves(sample)
    if compare.sample_ratio_alpha is not None:
        yield from _sample_ratio(compare.sample_ratio_alpha, sample)
    if sample.asks_for_proof:
        yield _no_worse(compare, sample)


def _halves(sample: Sample) -> Finding:
    """How much a failure counts, as the baseline's own halves told; where they differ nothing can be compared."""
    check = sample.evidence.precheck
    doubted = check.alarms
    sentence = told(check, sample.baseline_name)
    return Finding(
        sample.operation,
        "a_a",
        Verdict.INCONCLUSIVE if doubted else Verdict.HEALTHY,
        f"{sample.operation}: {sentence}",
        Consequence.HOLD if doubted else Consequence.NONE,
        {
            "design_effect": check.effect,
            "baseline_seconds": check.seconds,
            "keys": check.keys,
            "log_evidence": check.log_evidence,
            "log_limit": ALARM,
        },
    )


def _sample_ratio(alpha: float, sample: Sample) -> Iterator[Finding]:
    """α is the flag's: each of its operations may use an equal part of it."""
    found = most_conspicuous(sample.evidence.assignments)
    if found is None:
        return
    share, seen = found
    drawn = seen.baseline.fresh + seen.candidate.fresh
    if not drawn:
        return
    log_evidence = log_mismatch(sample.evidence.assignments, sample.evidence.processes)
    needed = math.log(sample.operations / alpha)
    doubted = log_evidence >= needed
    sentence = (
        f"{sample.operation}: {count(seen.candidate.fresh)} of {count(drawn)} keys went to {sample.candidate_name} "
        f"where {count(round(drawn * share / FULL))} were expected at {to_percent(share):g}\u202f%"
    )
    if doubted:
        sentence += (
            ": one side's calls are not reported, or something else than the share assigns them; "
            f"evidence 1 in {one_in(log_evidence)}, limit 1 in {one_in(needed)}"
        )
    yield Finding(
        sample.operation,
        "sample_ratio",
        Verdict.INCONCLUSIVE if doubted else Verdict.HEALTHY,
        sentence,
        Consequence.HOLD if doubted else Consequence.NONE,
        {
            "candidate_keys": seen.candidate.fresh,
            "keys": drawn,
            "expected_share": share / FULL,
            "processes": sample.evidence.processes,
            "log_evidence": log_evidence,
            "log_limit": needed,
        },
    )


def _no_worse(compare: Compare, sample: Sample) -> Finding:
    """What is not proven yet holds nothing back but the next stage."""
    log_evidence, needed = log_proof(sample.evidence.proof), -math.log(compare.beta)
    proven = log_evidence >= needed
    claim = (
        f"{sample.candidate_name} fails for at most {compare.error_rate_ratio:g} × the keys of {sample.baseline_name} "
        f"+ {percent(compare.error_rate_margin)}"
    )
    shown = f"evidence 1 in {one_in(log_evidence)}, needed 1 in {one_in(needed)}"
    if proven:
        sentence = f"{sample.operation}: proven: {claim}; {shown}"
    elif not sample.has_control:
        sentence = f"{sample.operation}: cannot be proven, with nothing to compare: {claim}"
    else:
        way = percent(min(0.99, max(0.0, log_evidence / needed)))
        sentence = f"{sample.operation}: not proven yet: {claim}; {shown}: {way} of the way"
    numbers = {"log_evidence": log_evidence, "log_limit": needed}
    verdict = Verdict.HEALTHY if proven else Verdict.INCONCLUSIVE
    return Finding(sample.operation, "no_worse", verdict, sentence, numbers=numbers)
