"""The decision record: JSON in an audit entry, from which a decision of the scheduler can be seen and recomputed.

Its shape is described in docs/decision-record.md. A field that is added keeps `schema`; one that changes raises it.
"""

import math
from typing import Any

from controlplane.documents.watching import finding_document
from controlplane.domain import evidence, open_breakers
from controlplane.domain.evidence import Wealth
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.ledger import Counts, Ledger
from controlplane.domain.observation import Evidence, design_effect_of
from controlplane.domain.outage import LIMIT as OUTAGE
from controlplane.domain.record import CODE, Grounds
from controlplane.domain.share import to_percent

SCHEMA = 1
BY_TIME = "bake"
_COMPARISON = "E ≥ 1/α for the operation and for the flag, and at least 3 bad candidate keys"
_LIMIT = (
    "the limit's evidence ≥ its own limit (all limits of a flag share a part of α), and the comparison's ≥ 20, of the "
    "operation and of the flag, where there is a baseline to compare with"
)
_MEANINGS = {
    BY_TIME: "the bake is over, enough keys were seen, and nothing is unhealthy or in doubt",
    "errors_vs_baseline": _COMPARISON,
    "latency_vs_baseline": _COMPARISON,
    "max_error_rate": _LIMIT,
    "max_latency": _LIMIT,
    "outage": "most keys of the candidate have failed before, so calls are counted: E ≥ limit that more than half of "
    "them fail, beside a baseline of which at most a tenth do",
    "no_telemetry": "no report for too long; `on_silence` says what that leads to",
    "one_side": "one side should have had keys and has none; `on_silence` says what that leads to",
    "min_samples": "too few keys were seen; `on_silence` says what that leads to once the bake is over",
    "sample_ratio": "E ≥ limit that keys are not assigned as the share says: what is compared is not alike",
    "a_a": "two halves of the baseline's keys differ, between which nothing does: what is compared is not alike",
    "pairs": "too few answers of both sides were compared",
    "mismatches": "the answers of both sides differ more than the baseline's own",
    "exposure": "nobody is sent to the candidate, so nothing is learnt",
    "checklist": "an item that is required is open",
    open_breakers.RULE: "most keys of the processes that tell of an open breaker are bad, at most a tenth of the "
    "baseline's are, and E ≥ limit; it rests on these reports, whose counts are in `findings`, and on no row",
}


def record_document(grounds: Grounds) -> dict[str, Any]:
    """Everything that a decision was made of. Logarithms are natural; instants are seconds since the epoch."""
    flag, decision, finding = grounds.flag, grounds.decision, grounds.decision.finding
    rule = finding.guardrail if finding else BY_TIME
    return {
        "schema": SCHEMA,
        "code": CODE,
        "step": decision.step.value,
        "rule": rule,
        "rule_means": _MEANINGS.get("max_latency" if rule.startswith("max_latency") else rule, ""),
        "operation": finding.operation if finding else None,
        "sentence": decision.because,
        "flag_version": flag.version,
        "attempt": grounds.attempt,
        "judged_until": grounds.judged_until,
        "bucket_seconds": grounds.bucket_seconds,
        "log_evidence": grounds.overall,
        "one_in": evidence.one_in(grounds.overall),
        **alpha_numbers(flag.guardrails),
        "operations": {name: _operation(grounds, name) for name in flag.attempted_operations},
        "findings": [finding_document(each) for each in grounds.findings],
    }


def alpha_numbers(limits: Guardrails | None) -> dict[str, float]:
    """Limits without a comparison are tested at the α that comparisons have by default."""
    alpha = ((limits.compare if limits else None) or Compare()).alpha
    return {"alpha": alpha, "log_limit": -math.log(alpha)}


def _operation(grounds: Grounds, name: str) -> dict[str, Any]:
    limits, seen = grounds.flag.guardrails_of(name), grounds.evidence.get(name, Evidence())
    compare = limits.compare if limits else None
    return {
        **alpha_numbers(limits),
        "tolerance": {
            "error_rate_ratio": compare.error_rate_ratio,
            "error_rate_margin": compare.error_rate_margin,
            "latency_ratio": compare.latency_ratio,
        }
        if compare
        else None,
        "design_effect": design_effect_of(seen, limits) if limits else seen.design_effect,
        "rows": _rows(grounds.ledgers.get(name, Ledger()), grounds.bucket_seconds),
        **evidence_numbers(seen),
        "limits": limit_numbers(limits, seen) if limits else {},
    }


def evidence_numbers(seen: Evidence) -> dict[str, Any]:
    """What is recomputed and held against the record: ln of each evidence of one operation."""
    return {
        "errors": _log(seen.errors.log_evidence),
        "latency": _log(seen.log_latency)
        | {
            "edges": {
                name: {
                    "log_evidence": wealth.log_evidence,
                    "slow_baseline": seen.slow.get(name, (0, 0))[0],
                    "slow_candidate": seen.slow.get(name, (0, 0))[1],
                }
                for name, wealth in seen.latency.items()
            }
        },
    }


def limit_numbers(limits: Guardrails, seen: Evidence) -> dict[str, Any]:
    """The same of the absolute limits, by guardrail."""
    found: dict[str, Any] = {}
    if seen.outage.buckets:
        found["outage"] = {"limit": OUTAGE, **_log(seen.outage.log_evidence)}
    if limits.max_error_rate is not None:
        found["max_error_rate"] = {"limit": limits.max_error_rate, **_log(seen.max_error_rate.log_evidence)}
    for name, milliseconds in limits.max_latency_ms.items():
        wealth = seen.max_latency.get(name, Wealth())
        found[f"max_latency_{name}"] = {"limit": milliseconds, **_log(wealth.log_evidence)}
    return found


def _log(log_evidence: float) -> dict[str, float]:
    return {"log_evidence": log_evidence, "one_in": evidence.one_in(log_evidence)}


def _rows(ledger: Ledger, bucket_seconds: int) -> dict[str, Any]:
    """The exact identity of the rows: which span, how many buckets, what they held and its digest."""
    return {
        "from": ledger.first,
        "until": None if ledger.last is None else ledger.last + bucket_seconds,
        "buckets": ledger.buckets,
        "digest": ledger.digest,
        "strata": [_stratum(share, counts) for share, counts in sorted(ledger.strata.items())],
    }


def _stratum(share: int, counts: Counts) -> dict[str, Any]:
    return {
        "percent": to_percent(share),
        "rho": counts.rho,
        "baseline": _side(counts.baseline_calls, counts.baseline_bad, counts.baseline_keys, counts.baseline_bad_keys),
        "candidate": _side(
            counts.candidate_calls, counts.candidate_bad, counts.candidate_keys, counts.candidate_bad_keys
        ),
    }


def _side(calls: int, bad: int, keys: int, bad_keys: int) -> dict[str, Any]:
    rate = bad_keys / keys if keys else None
    return {"calls": calls, "bad": bad, "keys": keys, "bad_keys": bad_keys, "rate": rate}
