"""Convergence: which live processes obey a flag as it is now, and what does a rollout say to those that do not yet?

The version that counts is the one in which the flag itself last changed: changes to other flags are no reason to wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from controlplane.domain.words import seconds

SILENT_AFTER = timedelta(seconds=30)  # three polls
GONE_AFTER = timedelta(minutes=10)  # a process that stopped is no reason to wait
NAMED = 3  # in a sentence; the rest is counted


class Barrier(StrEnum):
    """What a rollout does before its next stage while live processes have not heard of the present one."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Process:
    """One process and the snapshot that it obeys, by its last word."""

    name: str
    source: str
    version: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """The snapshot version in which a flag last changed, and since when it is in force."""

    source: str
    version: int
    since: datetime

    def is_obeyed_by(self, process: Process) -> bool:
        return process.source == self.source and process.version >= self.version


@dataclass(frozen=True, slots=True)
class Fleet:
    """The live processes, sorted by what they obey. One that fell silent before it obeyed counts as behind, too."""

    target: Target
    now: datetime
    landed: tuple[Process, ...] = ()
    behind: tuple[Process, ...] = ()

    @property
    def size(self) -> int:
        return len(self.landed) + len(self.behind)

    @property
    def silent(self) -> tuple[Process, ...]:
        return tuple(each for each in (*self.landed, *self.behind) if is_silent(each, self.now))

    def behind_for(self, process: Process) -> timedelta:
        """How long it has not obeyed: since the change, or since it appeared."""
        return max(timedelta(), self.now - max(self.target.since, process.first_seen_at))

    @property
    def sentence(self) -> str:
        """Like "48 of 50 instances on version 41; 2 are 40 s behind; 1 is silent"."""
        if not self.size:
            return "no instance reports"
        told = f"{len(self.landed)} of {self.size} instance{_s(self.size)} on version {self.target.version}"
        if self.behind:
            told += f"; {len(self.behind)} {_are(len(self.behind))} {self._lag} behind"
        if self.silent:
            told += f"; {len(self.silent)} {_are(len(self.silent))} silent"
        return told

    @property
    def obstacle(self) -> str | None:
        """What has to happen before nobody lives in an earlier stage; None where nobody does."""
        if not self.behind:
            return None
        names = sorted(each.name for each in self.behind)
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        who = f"{', '.join(names[:NAMED])}{more}"
        count = len(names)
        return (
            f"{count} of {self.size} instance{_s(self.size)} {'do' if count > 1 else 'does'} not obey version "
            f"{self.target.version} yet, {self._lag} behind: {who}"
        )

    @property
    def _lag(self) -> str:
        spans = {seconds(round(self.behind_for(each).total_seconds())) for each in self.behind}
        longest = seconds(round(max(self.behind_for(each) for each in self.behind).total_seconds()))
        return longest if len(spans) == 1 else f"up to {longest}"


def is_silent(process: Process, now: datetime) -> bool:
    return now - process.last_seen_at > SILENT_AFTER


def is_gone(process: Process, now: datetime) -> bool:
    return now - process.last_seen_at >= GONE_AFTER


def fleet_of(processes: Sequence[Process], target: Target, now: datetime) -> Fleet:
    """Those that are not gone, by whether they obey the target."""
    live = [each for each in processes if not is_gone(each, now)]
    landed = tuple(each for each in live if target.is_obeyed_by(each))
    behind = tuple(each for each in live if not target.is_obeyed_by(each))
    return Fleet(target, now, landed, behind)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
