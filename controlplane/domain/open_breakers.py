"""Open breakers: do the processes whose breakers are open tell of a dead candidate, before any bucket is sealed?

A process whose breaker opened tells what its keys have come to so far. Counted together, they are asked what an outage
is asked (`outage`): do most of the candidate's keys fail, while at most a tenth of the baseline's do? As in a sealed
bucket, a key that an open breaker turned away is bad. Two things keep a part from being taken for the whole: processes
that tell of no open breaker count as if each had as many keys, all well; and at least three keys of one process must
have failed at the backend itself, for one key that fails again and again can open a breaker for all others. And nothing
is said where breakers open by chance (`refusals`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from controlplane.domain import evidence
from controlplane.domain.arm import Arm
from controlplane.domain.evidence import Wealth
from controlplane.domain.findings import Finding, Verdict
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.health import LEAST_BAD_KEYS, on_breach
from controlplane.domain.outage import LIMIT, is_well
from controlplane.domain.refusals import Calls, Refusals, with_calls
from controlplane.domain.share import FULL
from controlplane.domain.words import count, one_in

RULE = "open_breakers"


@dataclass(frozen=True, slots=True)
class Side:
    """Keys that the share drew to one side in one process; `failed_keys` are the bad ones that were not turned away."""

    keys: int
    bad_keys: int
    failed_keys: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What one process with an open breaker tells of an operation; `opens` is how often it has opened there."""

    baseline: Side
    candidate: Side
    opens: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation of which breakers tell. `quiet` processes of the same services tell of no open one.

    `refusals` is what sealed buckets say of breakers that open by chance, `at` the instant in seconds since the epoch.
    """

    operation: str
    baseline_name: str
    candidate_name: str
    share: int
    told: Sequence[Told]
    quiet: int = 0
    operations: int = 1
    design_effect: float = evidence.DESIGN_EFFECT
    refusals: Refusals = Refusals()
    at: int = 0


def log_evidence(keys: int, bad_keys: int, design_effect: float) -> float:
    """ln E against "no more than half of the candidate's keys are bad"."""
    factors = evidence.threshold_factors(keys, bad_keys, LIMIT, design_effect=design_effect)
    return evidence.staked(Wealth(), factors).log_evidence


def open_breakers(guardrails: Guardrails, asked: Asked) -> Iterator[Finding]:
    """A finding where the candidate is dead, and nothing at all otherwise: the sealed buckets tell the rest."""
    if guardrails.compare is None or not asked.told or not 0 < asked.share < FULL:
        return
    if _by_chance(asked, guardrails.compare):
        return
    numbers = _numbers(asked, guardrails.compare.alpha)
    enough = numbers["failed_keys"] >= LEAST_BAD_KEYS
    well = is_well(numbers["baseline_bad_keys"], numbers["baseline_keys"])
    if enough and well and numbers["log_evidence"] >= numbers["log_limit"]:
        sentence = _sentence(asked, numbers)
        yield Finding(asked.operation, RULE, Verdict.UNHEALTHY, sentence, on_breach(guardrails), numbers)


def _by_chance(asked: Asked, compare: Compare) -> bool:
    """Whether a candidate that fails like the baseline now would open breakers, too."""
    keys, bad = (sum(getattr(each.baseline, name) for each in asked.told) for name in ("keys", "bad_keys"))
    baseline = Arm(calls=keys, bad=bad, errors={"timeout": bad})  # hard ones, for all that is known of them
    attempts = sum(each.candidate.keys for each in asked.told)
    return with_calls(asked.refusals, Calls(asked.at, baseline, attempts), compare, asked.operations).doubted(asked.at)


def _numbers(asked: Asked, alpha: float) -> dict[str, float]:
    """The k-th time that a breaker opens may err with α / k(k + 1), so that all times together err with α at most."""
    told, opens = asked.told, max(1, *(each.opens for each in asked.told))
    keys = sum(each.candidate.keys for each in told)
    supposed = math.ceil(keys * asked.quiet / len(told))
    bad = sum(each.candidate.bad_keys for each in told)
    return {
        "candidate_keys": keys,
        "candidate_bad_keys": bad,
        "failed_keys": max(each.candidate.failed_keys for each in told),
        "baseline_keys": sum(each.baseline.keys for each in told),
        "baseline_bad_keys": sum(each.baseline.bad_keys for each in told),
        "processes": len(told),
        "quiet_processes": asked.quiet,
        "supposed_keys": supposed,
        "opens": opens,
        "design_effect": asked.design_effect,
        "log_evidence": log_evidence(keys + supposed, bad, asked.design_effect),
        "log_limit": math.log(asked.operations / alpha * opens * (opens + 1)),
    }


def _sentence(asked: Asked, numbers: dict[str, float]) -> str:
    processes = len(asked.told)
    who = "1 process tells" if processes == 1 else f"{count(processes)} processes tell"
    also = f", and {count(asked.quiet)} of none" if asked.quiet else ""
    counts = [
        f"{count(int(numbers[side + '_bad_keys']))} of {count(int(numbers[side + '_keys']))}"
        for side in ("candidate", "baseline")
    ]
    return (
        f"{asked.operation}: {who} of an open breaker{also}; {asked.candidate_name} failed, or was spared, for "
        f"{counts[0]} keys, {asked.baseline_name} failed for {counts[1]}: evidence 1 in "
        f"{one_in(numbers['log_evidence'])} that it is dead, limit 1 in {one_in(numbers['log_limit'])}"
    )
