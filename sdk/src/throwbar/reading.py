"""Which flags does a snapshot's text tell anew? Those that are written as before are not read again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from throwbar.errors import SnapshotError
from throwbar.fields import check_flag
from throwbar.plan import NO_OVERRIDES, FlagPlan

SLICE = 200  # flags that are read before other threads get a turn, about a millisecond: turns cost something, too
_BEGIN = re.compile(r"[ \t\n\r]*{[ \t\n\r]*(}?)")
_COLON = re.compile(r"[ \t\n\r]*(:?)[ \t\n\r]*")
_AFTER = re.compile(r"[ \t\n\r]*([,}]?)[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def read(body: bytes, known: Mapping[str, FlagPlan], breathe: Callable[[], object]) -> object:
    """What `json.loads` makes of the body, but with plans for `flags`: a known one where its text is the same.

    Flags are checked as they are read, and what they say is forgotten until somebody asks: that takes a third of the
    memory. Where anything is wrong the document comes as `json.loads` makes it, for others to say what. Raises
    ValueError or RecursionError, as it does.
    """
    try:
        return _document(body.decode(), known, breathe)
    except (ValueError, SnapshotError):  # or it is written in another encoding than ours
        return json.loads(body)


def plan_of(key: str, raw: object, known: FlagPlan | None = None, text: str = "") -> FlagPlan | None:
    """The known plan if this says the same; None for a flag this SDK does not route. Raises SnapshotError.

    One with another text than the known one is taken for another without reading that: it costs a plan, no more.
    """
    if known is not None and not (text and known.text) and known.raw == raw:
        known.text = text or known.text
        return known
    return FlagPlan(key, raw, NO_OVERRIDES, text=text) if check_flag(raw, key) else None


def _document(text: str, known: Mapping[str, FlagPlan], breathe: Callable[[], object]) -> dict[str, object]:
    looked_at = 0

    def flag(key: str, position: int) -> tuple[FlagPlan | None, int]:
        nonlocal looked_at
        looked_at += 1
        if not looked_at % SLICE:
            breathe()
        plan = known.get(key)
        # An object ends where its text ends, so one that begins like it is it.
        if plan is not None and plan.text and text.startswith(plan.text, position):
            return plan, position + len(plan.text)
        raw, end = _decode(text, position)
        return plan_of(key, raw, plan, text[position:end]), end

    def field(key: str, position: int) -> tuple[object, int]:
        if key != "flags":
            return _decode(text, position)
        flags, end = _members(text, position, flag)
        return {name: plan for name, plan in flags.items() if plan is not None}, end

    document, end = _members(text, 0, field)
    if end != len(text):
        raise ValueError("something follows the document")
    return document


def _members(
    text: str, position: int, value: Callable[[str, int], tuple[object, int]]
) -> tuple[dict[str, object], int]:
    """The object at `position`, its values read by `value(key, position)`, and where it ends. Raises ValueError."""
    found: dict[str, object] = {}
    mark = _BEGIN.match(text, position)
    separator = (mark[1] or ",") if mark else ""
    while mark and separator == ",":
        key, position = _decode(text, mark.end())
        colon = _COLON.match(text, position)
        if colon is None or not colon[1] or type(key) is not str:
            raise ValueError(f"no name before {position}")
        found[key], position = value(key, colon.end())
        mark = _AFTER.match(text, position)
        separator = mark[1] if mark else ""
    if not mark or separator != "}":
        raise ValueError(f"no object, or no end of one, at {position}")
    return found, mark.end()
