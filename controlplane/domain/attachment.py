"""Attachment: evidence that no telemetry holds: a run of tests, named by its suite, commit and result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """`by` is the name of the actor who attached it, `link` where the run can be read, "" where there is none."""

    suite: str
    passed: bool
    commit: str
    link: str
    notes: str
    by: str
    at: datetime
    id: int = 0


def newest_of_each(attachments: Sequence[Attachment]) -> list[Attachment]:
    """The last word of each suite, by its name: a later run takes the place of an earlier one."""
    found: dict[str, Attachment] = {}
    for each in sorted(attachments, key=lambda one: (one.at, one.id)):
        found[each.suite] = each
    return [found[name] for name in sorted(found)]
