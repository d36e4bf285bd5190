"""Record: what one decision was made of, before it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.domain.findings import Finding
from controlplane.domain.flag import Flag
from controlplane.domain.ledger import Ledger
from controlplane.domain.observation import Evidence
from controlplane.domain.rollout import Decision

# The version of the arithmetic. Raise it with every change that gives other evidence for the same buckets: a decision
# that was recorded by another version cannot be held against this one.
CODE = "evidence/3"


@dataclass(frozen=True, slots=True)
class Grounds:
    """A decision about a flag as it was then, and everything that went into it.

    `judged_until`: buckets that start before it are in the evidence. `overall` is ln of the flag's evidence, over the
    operations that were judged.
    """

    flag: Flag
    decision: Decision
    attempt: int
    judged_until: int
    bucket_seconds: int
    overall: float
    findings: Sequence[Finding] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = field(default_factory=dict)
