"""Evidence, ledgers and findings as they are stored and answered: plain JSON, nothing lost."""

from collections.abc import Mapping
from typing import Any

from controlplane.domain.assignment import Assignment, Turnout
from controlplane.domain.evidence import Wealth
from controlplane.domain.findings import Consequence, Finding, Verdict
from controlplane.domain.ledger import Counts, Ledger
from controlplane.domain.observation import Evidence
from controlplane.domain.precheck import Precheck
from controlplane.domain.refusals import Budget, Rate, Refusals

_NO_REFUSALS = Refusals()


def evidence_document(seen: Evidence) -> dict[str, Any]:
    return {
        "policy": seen.policy,
        "design_effect": seen.design_effect,
        "processes": seen.processes,
        "operations": seen.operations,
        "precheck": _fields(seen.precheck),
        "refusals": _refusals_document(seen.refusals) if seen.refusals != _NO_REFUSALS else {},
        "errors": _wealth_document(seen.errors),
        "outage": _wealth_document(seen.outage),
        "latency": {name: _wealth_document(each) for name, each in seen.latency.items()},
        "max_error_rate": _wealth_document(seen.max_error_rate),
        "max_latency": {name: _wealth_document(each) for name, each in seen.max_latency.items()},
        "history": dict(seen.history),
        "baseline_keys": seen.baseline_keys,
        "baseline_bad_keys": seen.baseline_bad_keys,
        "candidate_keys": seen.candidate_keys,
        "candidate_bad_keys": seen.candidate_bad_keys,
        "slow": {name: list(pair) for name, pair in seen.slow.items()},
        "keys_at": {share: list(pair) for share, pair in seen.keys_at.items()},
        "assignments": {
            share: [_turnout_document(each.baseline), _turnout_document(each.candidate)]
            for share, each in seen.assignments.items()
        },
        "proof": list(seen.proof),
        "missed_baseline": seen.missed_baseline,
        "missed_candidate": seen.missed_candidate,
        "newest": seen.newest,
    }


def _refusals_document(refusals: Refusals) -> dict[str, Any]:
    return {
        "recent": _fields(refusals.recent),
        "opened": _fields(refusals.opened),
        "confirmed": _fields(refusals.confirmed),
        "failing": refusals.failing,
    }


def _fields(flat: Precheck | Rate | Budget | Counts) -> dict[str, Any]:
    """As `asdict`, which copies deeply what holds numbers alone: a tenth of what a tick keeps a watch for."""
    return {name: getattr(flat, name) for name in flat.__slots__}


def parse_evidence(document: Mapping[str, Any]) -> Evidence:
    values = dict(document)
    values["precheck"] = Precheck(**document.get("precheck", {}))
    values["refusals"] = _refusals(document.get("refusals") or {})
    values["errors"] = _wealth(document["errors"])
    values["outage"] = _wealth(document.get("outage", {"bets": (), "buckets": 0}))
    values["latency"] = {name: _wealth(each) for name, each in document["latency"].items()}
    values["max_error_rate"] = _wealth(document["max_error_rate"])
    values["max_latency"] = {name: _wealth(each) for name, each in document["max_latency"].items()}
    values["history"] = {int(index): count for index, count in document["history"].items()}
    values["slow"] = {name: (pair[0], pair[1]) for name, pair in document["slow"].items()}
    values["keys_at"] = {int(share): (pair[0], pair[1]) for share, pair in document["keys_at"].items()}
    values["assignments"] = {
        int(share): Assignment(Turnout(*pair[0]), Turnout(*pair[1]))
        for share, pair in document.get("assignments", {}).items()
    }
    values["proof"] = tuple(document.get("proof", ()))
    return Evidence(**values)


def _refusals(document: Mapping[str, Any]) -> Refusals:
    if not document:
        return Refusals()
    opened, confirmed = (Budget(**document[name]) for name in ("opened", "confirmed"))
    return Refusals(Rate(**document["recent"]), opened, confirmed, document["failing"])


def _turnout_document(turnout: Turnout) -> list[int]:
    return [turnout.keys, turnout.fresh, turnout.refused, turnout.bad]


def _wealth_document(wealth: Wealth) -> dict[str, Any]:
    return {"bets": list(wealth.bets), "buckets": wealth.buckets}


def _wealth(document: Mapping[str, Any]) -> Wealth:
    return Wealth(tuple(document["bets"]), document["buckets"])


def ledger_document(ledger: Ledger) -> dict[str, Any]:
    strata = {str(share): _fields(counts) for share, counts in ledger.strata.items()}
    return {
        "first": ledger.first,
        "last": ledger.last,
        "buckets": ledger.buckets,
        "digest": ledger.digest,
        "strata": strata,
    }


def parse_ledger(document: Mapping[str, Any]) -> Ledger:
    strata = {int(share): Counts(**counts) for share, counts in document["strata"].items()}
    return Ledger(**{**document, "strata": strata})


def finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "operation": finding.operation,
        "guardrail": finding.guardrail,
        "verdict": finding.verdict.value,
        "sentence": finding.sentence,
        "consequence": finding.consequence.value,
        "numbers": dict(finding.numbers),
    }


def parse_finding(document: Mapping[str, Any]) -> Finding:
    return Finding(
        operation=document["operation"],
        guardrail=document["guardrail"],
        verdict=Verdict(document["verdict"]),
        sentence=document["sentence"],
        consequence=Consequence(document["consequence"]),
        numbers=document["numbers"],
    )
