"""How does the text of a form become a plan and its order, and these the text of a form? Pure.

What cannot be read stays in the document as it was written, which refuses it with the field's name.
"""

import re
from collections.abc import Mapping
from typing import Any

from web.ui.numbers import number
from web.ui.plans import UNITS, stage_fields

Fields = Mapping[str, str]
MOST_ROWS = 100
STAGE_FIELDS = (
    "phase",
    "percent",
    "bake",
    "unit",
    "approval",
    "prove",
    "min_samples",
    "notes",
    "mode",
    "shadow_percent",
)
_WINDOW = re.compile(
    r"(?P<days>(?:[a-z]{3,9}[\s,]+)*)(?P<opens>[\d:]+)\s*(?:-|–|to|\s)\s*(?P<closes>[\d:]+)\s*(?P<zone>\S*)"
)
_ORDER = re.compile(r"(?P<operation>\S+)\s*(?:<=|≤|not above)\s*(?P<not_above>\S+)")


def plan(fields: Fields) -> dict[str, Any] | None:
    """The plan of the form; None where no stage is written."""
    stages = [_stage(fields, row) for row in filled_rows(fields)]
    if not stages:
        return None
    return {
        "kind": fields.get("plan_kind") or "switch",
        "stages": stages,
        "operations": _listed(fields.get("plan_operations", "")),
        "lags": dict(_lag(line) for line in _listed(fields.get("lags", ""))),
        "start_at": _instant(fields.get("start_at", "").strip()),
        "windows": [_window(line) for line in _lines(fields.get("windows", ""))],
        "two_person": bool(fields.get("two_person")),
        "barrier": fields.get("barrier") or None,
        "backlog_limit": number(fields.get("backlog_limit", "") or "0"),
    }


def constraints(fields: Fields) -> list[dict[str, str]]:
    """One a line: "search <= reads"."""
    found = []
    for line in _lines(fields.get("constraints", "")):
        match = _ORDER.fullmatch(line)
        found.append(match.groupdict() if match else {"operation": line, "not_above": ""})
    return found


def _stage(fields: Fields, row: int) -> dict[str, Any]:
    bake = number(fields.get(f"stage-{row}-bake", "") or "0")
    size = UNITS.get(fields.get(f"stage-{row}-unit", ""), 1)
    least, sampled = (fields.get(f"stage-{row}-{name}", "").strip() for name in ("min_samples", "shadow_percent"))
    phase, share = (fields.get(f"stage-{row}-{name}", "").strip() for name in ("phase", "percent"))
    return {
        "phase": phase or None,
        "percent": number(share) if share or not phase else None,
        "bake_seconds": bake if isinstance(bake, str) else bake * size,
        "approval": bool(fields.get(f"stage-{row}-approval")),
        "prove": bool(fields.get(f"stage-{row}-prove")),
        "min_samples": number(least) if least else None,
        "notes": fields.get(f"stage-{row}-notes", "").strip(),
        "mode": fields.get(f"stage-{row}-mode") or None,
        "shadow_percent": number(sampled) if sampled else None,
    }


def _lag(line: str) -> tuple[str, Any]:
    """From "search: 1": search follows by one stage."""
    name, _, stages = line.partition(":")
    return name.strip(), number(stages)


def _instant(text: str) -> str | None:
    """A date without an offset is in UTC, as every instant on the page is."""
    if not text:
        return None
    return text if re.search(r"(Z|[+-]\d\d:?\d\d)$", text) else f"{text}Z"


def _window(line: str) -> dict[str, Any]:
    match = _WINDOW.fullmatch(line)
    if match is None:
        return {"opens": line, "closes": line}
    days = [day[:3] for day in re.split(r"[\s,]+", match["days"]) if day]
    rest = {"opens": match["opens"].rjust(5, "0"), "closes": match["closes"].rjust(5, "0")}
    return {**({"days": days} if days else {}), **rest, "zone": match["zone"] or "UTC"}


def filled_rows(fields: Fields) -> list[int]:
    """The rows of the plan in which something was written."""
    written = (
        any(fields.get(f"stage-{row}-{name}", "").strip() for name in ("phase", "percent", "bake", "notes"))
        for row in range(MOST_ROWS)
    )
    return [row for row, is_written in enumerate(written) if is_written]


def closed_up(fields: Fields) -> dict[str, str]:
    """The fields with the plan's empty rows taken out, so that row n of the form is stage n of the document."""
    rest = {name: value for name, value in fields.items() if not name.startswith("stage-")}
    for stage, row in enumerate(filled_rows(fields)):
        for name in STAGE_FIELDS:
            if value := fields.get(f"stage-{row}-{name}"):
                rest[f"stage-{stage}-{name}"] = value
    return rest


def plan_fields(document: Mapping[str, Any]) -> dict[str, str]:
    """A plan's document as the fields of its form."""
    texts = {
        "plan_operations": ", ".join(document["operations"]),
        "lags": ", ".join(f"{name}: {lag}" for name, lag in document.get("lags", {}).items()),
        "start_at": (document.get("start_at") or "").replace("+00:00", "").replace("T", " "),
        "windows": "\n".join(window_text(each) for each in document.get("windows", ())),
    }
    texts["barrier"] = document.get("barrier") or ""
    texts["plan_kind"] = document.get("kind", "switch")
    if limit := document.get("backlog_limit"):
        texts["backlog_limit"] = str(limit)
    if document.get("two_person"):
        texts["two_person"] = "on"
    for row, stage in enumerate(document["stages"]):
        texts |= stage_fields(row, stage)
    return texts


def constraint_fields(document: Mapping[str, Any]) -> dict[str, str]:
    order = (f"{each['operation']} <= {each['not_above']}" for each in document.get("constraints", ()))
    return {"constraints": "\n".join(order)}


def window_text(window: Mapping[str, Any]) -> str:
    """As it is written in the form: "mon tue 09:00-17:00 Europe/Berlin"."""
    return f"{' '.join(window['days'])} {window['opens']}-{window['closes']} {window['zone']}"


def field_name(path: str) -> str | None:
    """The form's field of a path in the document; None for what belongs to another part of the form."""
    parts = path.split(".")
    if parts[0] == "constraints":
        return "constraints"
    if parts[0] != "plan" or len(parts) < 2:
        return None
    if parts[1] == "stages" and len(parts) > 2:
        name = parts[3] if len(parts) > 3 else "percent"
        return f"stage-{parts[2]}-{'bake' if name == 'bake_seconds' else name}"
    return {"operations": "plan_operations", "kind": "plan_kind"}.get(parts[1], parts[1])


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
