"""Finding: a judged guardrail, with its sentence and numbers; and how findings are summed up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """Three-valued: a two-valued health is a lie when there is little traffic."""

    HEALTHY = "healthy"
    INCONCLUSIVE = "inconclusive"
    UNHEALTHY = "unhealthy"


class Consequence(StrEnum):
    """What a finding asks for, after the flag's own settings were applied."""

    NONE = "none"
    HOLD = "hold"
    REPORT = "report"  # what would have been a rollback: it is written down, and holds
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Finding:
    """`numbers` holds what the sentence was made of: rates, counts, evidence, limits."""

    operation: str
    guardrail: str
    verdict: Verdict
    sentence: str
    consequence: Consequence = Consequence.NONE
    numbers: Mapping[str, float | int | None] = field(default_factory=dict)


_FROM_BEST = (Verdict.HEALTHY, Verdict.INCONCLUSIVE, Verdict.UNHEALTHY)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict; nothing judged is inconclusive, never healthy."""
    verdicts = [finding.verdict for finding in findings]
    if not verdicts:
        return Verdict.INCONCLUSIVE
    return max(verdicts, key=_FROM_BEST.index)


_FROM_LEAST = (Consequence.NONE, Consequence.HOLD, Consequence.REPORT, Consequence.ROLL_BACK)


def foremost_of(findings: Iterable[Finding]) -> Finding | None:
    """The finding that decides: by its consequence, then by its verdict; None where all is well."""
    found = [each for each in findings if each.verdict is not Verdict.HEALTHY]
    return max(found, key=_weight, default=None)


def _weight(finding: Finding) -> tuple[int, int]:
    return _FROM_LEAST.index(finding.consequence), _FROM_BEST.index(finding.verdict)
