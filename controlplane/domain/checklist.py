"""Checklist: what no telemetry shows, so that people look at it: before a ramp begins, and after it is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from controlplane.domain.attachment import Attachment
from controlplane.domain.findings import Consequence, Finding, Verdict

MOST_ITEMS = 50


class Phase(StrEnum):
    """`before` may keep a rollout from starting and advancing; `after` is what is left to be cleaned up."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to look at. `evidence` is a text or a link; who did it and when is written down, not asked."""

    title: str
    required: bool = True
    owner: str = ""
    evidence: str = ""
    done_by: str = ""
    done_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.done_at is None


@dataclass(frozen=True, slots=True)
class Checklist:
    """The items of a phase by their id, in their order; `version` grows by one with every change.

    `required`: a rollout neither starts nor advances while a required item is open. `tests_required`: nor while
    nothing shows that the existing tests pass. `criteria_required`: it is not finished before every success criterion
    has passed.
    """

    items: tuple[tuple[str, Item], ...]
    required: bool = False
    tests_required: bool = False
    criteria_required: bool = False
    version: int = 0

    def item(self, name: str) -> Item | None:
        return dict(self.items).get(name)

    def with_item(self, name: str, item: Item) -> "Checklist":
        """Changed in its place, or added at the end."""
        if self.item(name) is None:
            return replace(self, items=(*self.items, (name, item)))
        return replace(self, items=tuple((key, item if key == name else each) for key, each in self.items))

    def without(self, name: str) -> "Checklist":
        return replace(self, items=tuple(pair for pair in self.items if pair[0] != name))


_TITLES = {
    Phase.BEFORE: {
        "usage": "Audit how the baseline is used today",
        "errors": "Document all custom error handling",
        "performance": "Measure the baseline's performance, to compare with",
        "optimisations": "Inventory the optimisations that the baseline has",
        "capabilities": "Review what the candidate can do today",
    },
    Phase.AFTER: {
        "remove": "Remove the baseline's code",
        "router": "Simplify the router: call the candidate directly",
        "upstream": "Move compatibility features upstream",
        "documentation": "Update the documentation",
        "archive": "Archive the code of the migration",
    },
}


def starting(phase: Phase) -> Checklist:
    """The list of a flag that nobody has changed: the points of the migration guide, open."""
    return Checklist(tuple((name, Item(title)) for name, title in _TITLES[phase].items()))


def done(item: Item, by: str, at: datetime) -> Item:
    """Checked off; whoever did it first stays the one who did it."""
    return item if item.done_at else replace(item, done_by=by, done_at=at)


def reopened(item: Item) -> Item:
    return replace(item, done_by="", done_at=None)


def open_points(checklist: Checklist, newest: Sequence[Attachment]) -> tuple[str, ...]:
    """What keeps a rollout from starting and advancing; `newest` are the newest results of each test suite."""
    items = [item.title for _, item in checklist.items if item.required and item.is_open] if checklist.required else []
    return (*items, *_untested(newest)) if checklist.tests_required else tuple(items)


def unfinished(points: Sequence[str], *, live: bool) -> Iterator[Finding]:
    """Somebody opened a point again, or a test fails by now: a rollout under way goes no further."""
    if points and live:
        why = f"the checklist asks for: {'; '.join(points)}"
        yield Finding("", "checklist", Verdict.INCONCLUSIVE, why, Consequence.HOLD)


def _untested(newest: Sequence[Attachment]) -> list[str]:
    if not newest:
        return ["Existing tests pass (no result is attached)"]
    return [f"Existing tests pass ({each.suite} failed at {each.commit})" for each in newest if not each.passed]
