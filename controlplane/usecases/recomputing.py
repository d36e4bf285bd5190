"""Recomputing: is the evidence that a decision was recorded with the one that the stored rows give?"""

from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.documents.decision_record import evidence_numbers, limit_numbers
from controlplane.domain import open_breakers
from controlplane.domain.assignment import log_mismatch
from controlplane.domain.audit import AuditEntry
from controlplane.domain.health import flag_evidence
from controlplane.domain.ledger import Ledger
from controlplane.domain.observation import Evidence
from controlplane.domain.proof import log_proof
from controlplane.domain.record import CODE
from controlplane.usecases.replaying import Replayed

_Both = tuple[str, str, dict[str, float]]  # operation, guardrail, the recorded and the recomputed number

CLOSE = 1e-9  # in ln E: what a recomputation may differ by
_GONE = "its rows are no longer kept as they were judged"


def recomputed(entry: AuditEntry, state: Replayed | None) -> dict[str, Any]:
    """A decision beside what the rows give; `state` is the replay's at its instant, None where it has none.

    `same` is None where nothing can be said: rows are gone. `difference` is the largest of any ln E.
    """
    record = entry.record
    told = {
        "entry": entry.id,
        "at": entry.at.isoformat(),
        "action": entry.action.value,
        "sentence": entry.reason,
        "judged_until": record["judged_until"],
        "rule": record.get("rule"),
        "recorded": record["log_evidence"],
    }
    if state is None or _lacks_rows(record, state):
        return told | {"recomputed": None, "difference": None, "same": None, "because": _GONE, "operations": {}}
    return told | _compared(record, state)


def _compared(record: Mapping[str, Any], state: Replayed) -> dict[str, Any]:
    overall = flag_evidence([state.evidence.get(name, Evidence()) for name in _judged(record, state)])
    operations = {name: dict(_metrics(each, state, name)) for name, each in record.get("operations", {}).items()}
    for name, rule, both in (*_gates(record, state), *_told(record)):
        operations.setdefault(name, {})[rule] = both
    gaps = [abs(overall - record["log_evidence"])]
    gaps += [abs(each["recorded"] - each["recomputed"]) for own in operations.values() for each in own.values()]
    same = max(gaps) <= CLOSE and _same_rows(record, state)
    because = None if same else _difference(record, state)
    return {
        "recomputed": overall,
        "difference": max(gaps),
        "same": same,
        "because": because,
        "operations": operations,
    }


def _judged(record: Mapping[str, Any], state: Replayed) -> tuple[str, ...]:
    """The operations whose evidence was averaged; records without a schema do not name them."""
    return tuple(record["operations"]) if "operations" in record else state.flag.attempted_operations


def _metrics(recorded: Mapping[str, Any], state: Replayed, name: str) -> Iterator[tuple[str, dict[str, float]]]:
    seen, limits = state.evidence.get(name, Evidence()), state.flag.guardrails_of(name)
    now = {**evidence_numbers(seen), **(limit_numbers(limits, seen) if limits else {})}
    before = {"errors": recorded["errors"], "latency": recorded["latency"], **recorded["limits"]}
    for metric, each in before.items():
        again = now[metric]["log_evidence"] if metric in now else 0.0
        yield metric, {"recorded": each["log_evidence"], "recomputed": again}


def _gates(record: Mapping[str, Any], state: Replayed) -> Iterator[_Both]:
    """What keeps a stage, or lets it go. How many processes may count a key is in no row: the record has it."""
    for finding in record.get("findings", ()):
        seen, numbers = state.evidence.get(finding["operation"], Evidence()), finding["numbers"]
        if finding["guardrail"] == "sample_ratio" and "processes" in numbers:
            again = log_mismatch(seen.assignments, numbers["processes"])
        elif finding["guardrail"] == "no_worse":
            again = log_proof(seen.proof)
        else:
            continue
        yield finding["operation"], finding["guardrail"], {"recorded": numbers["log_evidence"], "recomputed": again}


def _told(record: Mapping[str, Any]) -> Iterator[_Both]:
    """What open breakers told is in no row: the record has the counts, and the evidence follows from them."""
    for finding in record.get("findings", ()):
        if finding["guardrail"] == open_breakers.RULE:
            told = finding["numbers"]
            keys = told["candidate_keys"] + told["supposed_keys"]
            again = open_breakers.log_evidence(keys, told["candidate_bad_keys"], told["design_effect"])
            both = {"recorded": told["log_evidence"], "recomputed": again}
            yield finding["operation"], open_breakers.RULE, both


def _lacks_rows(record: Mapping[str, Any], state: Replayed) -> bool:
    rows = {name: each["rows"]["buckets"] for name, each in record.get("operations", {}).items()}
    return any(state.ledgers.get(name, Ledger()).buckets < number for name, number in rows.items())


def _same_rows(record: Mapping[str, Any], state: Replayed) -> bool:
    rows = {name: each["rows"]["digest"] for name, each in record.get("operations", {}).items()}
    return all(state.ledgers.get(name, Ledger()).digest == digest for name, digest in rows.items())


def _difference(record: Mapping[str, Any], state: Replayed) -> str:
    if not _same_rows(record, state):
        return "the rows are not those that were judged"
    if record.get("code", CODE) != CODE:
        return f"it was recorded by {record['code']}, and this program computes {CODE}"
    return "the same rows give another evidence"
