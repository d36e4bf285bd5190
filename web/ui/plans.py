"""Which rollout plans can a form offer, and how does it write a bake? Pure."""

from collections.abc import Mapping
from typing import Any

from controlplane.documents.plan_templates import DAY, HOUR, TEMPLATES

__all__ = [
    "DAY",
    "HOUR",
    "KINDS",
    "MODES",
    "PHASES",
    "TEMPLATES",
    "UNITS",
    "bake_fields",
    "stage_fields",
    "template_fields",
]

UNITS = {"seconds": 1, "minutes": 60, "hours": HOUR, "days": DAY}
MODES = {
    "": "As before",
    "single": "One side alone",
    "shadow": "Shadow: reads go to both",
    "dual_write": "Dual write: writes go to both",
}


KINDS = {"switch": "Calls, which can always go back", "data": "Data, phase by phase"}
PHASES = {
    "": "No phase",
    "dual_write": "Dual write",
    "shadow": "Shadow",
    "live": "Live",
    "ramp_down": "Ramp-down",
    "complete": "Complete",
}
_OF = "plan of "  # no key has a space


def flag_of(choice: str) -> str | None:
    """Whose plan a choice in the list of templates copies; None for a template."""
    return choice.removeprefix(_OF) if choice.startswith(_OF) else None


def stage_fields(number: int, stage: Mapping[str, Any]) -> dict[str, str]:
    """One stage of a document as the fields of its row."""
    bake, unit = bake_fields(stage["bake_seconds"])
    row = {"percent": f"{stage['percent']:g}", "bake": bake, "unit": unit}
    if stage.get("approval"):
        row["approval"] = "on"
    if stage.get("prove"):
        row["prove"] = "on"
    row |= {
        name: str(stage[name])
        for name in ("phase", "min_samples", "notes", "mode")
        if stage.get(name) not in {None, ""}
    }
    if (sampled := stage.get("shadow_percent")) is not None:
        row["shadow_percent"] = f"{sampled:g}"
    return {f"stage-{number}-{name}": value for name, value in row.items()}


def template_fields(name: str) -> dict[str, str]:
    """A template as the fields of its rows, and its kind; an unknown name gives none."""
    plan = TEMPLATES[name][1] if name in TEMPLATES else {"stages": []}
    fields = {"plan_kind": plan.get("kind", "switch"), "barrier": ""}
    for number, stage in enumerate(plan["stages"]):
        fields |= stage_fields(number, stage)
    return fields


def bake_fields(seconds: float) -> tuple[str, str]:
    """604800 → ("7", "days"): the largest unit that keeps the number whole."""
    for unit, size in reversed(UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}", unit
    return f"{seconds:g}", "seconds"
