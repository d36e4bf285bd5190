"""Watches: what the scheduler knows of each exposed flag: evidence, findings, and what it is waiting for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from controlplane.documents.watching import (
    evidence_document,
    finding_document,
    ledger_document,
    parse_evidence,
    parse_finding,
    parse_ledger,
)
from controlplane.domain.findings import Finding
from controlplane.domain.ledger import Ledger
from controlplane.domain.observation import Evidence
from controlplane.domain.rollout import Step
from controlplane.domain.shadowing import Pairs
from controlplane.store.tables import watches


@dataclass(frozen=True, slots=True)
class Watch:
    """`judged_until`: buckets that start before it are in the evidence; what arrives for them is late.

    `version` is the flag's at this look, `checkpoint` the start of the attempt's newest checkpoint. `told` names what
    the audit log was told of this attempt already, where once is enough.
    """

    flag: str
    attempt: int
    judged_until: int
    at: datetime
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    step: Step = Step.WAIT
    because: str = ""
    version: int = 0
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
    checkpoint: int | None = None
    told: tuple[str, ...] = ()
    pairs: Mapping[str, Pairs] = field(default_factory=dict)


class Watches:
    """One watch a flag."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, environment_id: int, flag: str) -> Watch | None:
        query = select(watches).where(watches.c.environment_id == environment_id, watches.c.flag == flag)
        row = self._connection.execute(query).one_or_none()
        return _watch(row) if row else None

    def all(self, environment_id: int) -> dict[str, Watch]:
        rows = self._connection.execute(select(watches).where(watches.c.environment_id == environment_id))
        return {row.flag: _watch(row) for row in rows}

    def named(self, environment_id: int, flags: Sequence[str]) -> dict[str, Watch]:
        """Those of some flags."""
        query = select(watches).where(watches.c.environment_id == environment_id, watches.c.flag.in_(flags))
        return {row.flag: _watch(row) for row in self._connection.execute(query)}

    def judged_until(self, environment_id: int) -> dict[str, tuple[int, int]]:
        """Flag → (attempt, judged_until), without the weight of the evidence."""
        columns = (watches.c.flag, watches.c.attempt, watches.c.judged_until)
        rows = self._connection.execute(select(*columns).where(watches.c.environment_id == environment_id))
        return {row.flag: (row.attempt, row.judged_until) for row in rows}

    def looks(self, environment_id: int) -> dict[str, str]:
        """Flag → the instant of its newest look, as text, without the weight of the evidence."""
        query = select(watches.c.flag, watches.c.at).where(watches.c.environment_id == environment_id)
        return {row.flag: row.at.isoformat() for row in self._connection.execute(query)}

    def save(self, environment_id: int, *changed: Watch) -> None:
        """One for each flag: a newer one takes the place of the one before."""
        if not changed:
            return
        flags = [watch.flag for watch in changed]
        query = select(watches.c.flag).where(watches.c.environment_id == environment_id, watches.c.flag.in_(flags))
        known = set(self._connection.execute(query).scalars())
        rows = [{"at_environment": environment_id, "named": watch.flag, **_values(watch)} for watch in changed]
        for statement, some in (
            (_UPDATE, [row for row in rows if row["named"] in known]),
            (_INSERT, [row for row in rows if row["named"] not in known]),
        ):
            if some:
                self._connection.execute(statement, some)


_CHANGING = (
    *("attempt", "judged_until", "evidence", "findings", "step", "because", "at"),
    *("version", "ledger", "checkpoint", "told", "pairs"),
)
_BOUND = {name: bindparam(name, type_=watches.c[name].type) for name in _CHANGING}
_HERE = (watches.c.environment_id == bindparam("at_environment")) & (watches.c.flag == bindparam("named"))
_UPDATE = update(watches).where(_HERE).values(_BOUND)
_INSERT = insert(watches).values(environment_id=bindparam("at_environment"), flag=bindparam("named"), **_BOUND)


def _values(watch: Watch) -> dict[str, Any]:
    return {
        "attempt": watch.attempt,
        "judged_until": watch.judged_until,
        "evidence": {name: evidence_document(each) for name, each in watch.evidence.items()},
        "findings": [finding_document(each) for each in watch.findings],
        "step": watch.step.value,
        "because": watch.because,
        "at": watch.at,
        "version": watch.version,
        "ledger": {name: ledger_document(each) for name, each in watch.ledgers.items()},
        "checkpoint": watch.checkpoint,
        "told": list(watch.told),
        "pairs": {name: asdict(each) for name, each in watch.pairs.items()},
    }


def _watch(row: Any) -> Watch:  # noqa: ANN401 - a row of `watches`
    return Watch(
        flag=row.flag,
        attempt=row.attempt,
        judged_until=row.judged_until,
        at=row.at,
        evidence={name: parse_evidence(each) for name, each in row.evidence.items()},
        findings=tuple(parse_finding(each) for each in row.findings),
        step=Step(row.step),
        because=row.because,
        version=row.version or 0,
        ledgers={name: parse_ledger(each) for name, each in (row.ledger or {}).items()},
        checkpoint=row.checkpoint,
        told=tuple(row.told or ()),
        pairs={name: Pairs(**each) for name, each in (row.pairs or {}).items()},
    )
