"""Bucket: what a judge is told of one operation in one stretch of time. Counts only."""

from dataclasses import dataclass

from controlplane.domain.arm import Arm


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both arms of the calls that one share assigned. Strata of different shares are never pooled."""

    share: int
    baseline: Arm
    candidate: Arm


@dataclass(frozen=True, slots=True)
class Bucket:
    """One operation in one sealed bucket: what the share assigned, and everything there was, `probes` apart as well.

    `metrics` are calls of the candidate that were told without keys, and are in no other field: limits count them.
    """

    start: int
    strata: tuple[Stratum, ...]
    baseline: Arm
    candidate: Arm
    probes: Arm = Arm()
    metrics: Arm = Arm()
