"""Which rollout plans can a form offer, and how does it write a bake? Pure."""

from collections.abc import Mapping
from typing import Any

HOUR, DAY = 3600, 86_400
UNITS = {"seconds": 1, "minutes": 60, "hours": HOUR, "days": DAY}
_WEEK, _MONTH = 7 * DAY, 30 * DAY

# Each ends at 98 %: the hold-back keeps the comparison alive until a person says `finish`.
TEMPLATES: Mapping[str, tuple[str, tuple[tuple[float, float, bool], ...]]] = {
    "cautious": (
        "Cautious: 1, 10, 50, 98 %, a week each, with approval at 50 %",
        ((1, _WEEK, False), (10, _WEEK, False), (50, _WEEK, True), (98, _MONTH, False)),
    ),
    "eight weeks": (
        "Eight weeks: two at 1 %, two at 10 %, two at 50 % with approval, then 98 %",
        ((1, 2 * _WEEK, False), (10, 2 * _WEEK, False), (50, 2 * _WEEK, True), (98, 2 * _WEEK, False)),
    ),
    "standard": (
        "Standard: 1, 10, 50, 98 % within a fortnight",
        ((1, DAY, False), (10, 2 * DAY, False), (50, 3 * DAY, False), (98, _WEEK, False)),
    ),
    "fast": (
        "Fast: 1, 10, 50, 98 % within a working day",
        ((1, 600, False), (10, 1800, False), (50, HOUR, False), (98, 4 * HOUR, False)),
    ),
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
    row |= {name: str(stage[name]) for name in ("min_samples", "notes") if stage.get(name) not in {None, ""}}
    return {f"stage-{number}-{name}": value for name, value in row.items()}


def template_fields(name: str) -> dict[str, str]:
    """A template as the fields of its rows; an unknown name gives none."""
    fields: dict[str, str] = {}
    for number, (percent, bake, approval) in enumerate(TEMPLATES[name][1] if name in TEMPLATES else ()):
        fields |= stage_fields(number, {"percent": percent, "bake_seconds": bake, "approval": approval})
    return fields


def bake_fields(seconds: float) -> tuple[str, str]:
    """604800 → ("7", "days"): the largest unit that keeps the number whole."""
    for unit, size in reversed(UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}", unit
    return f"{seconds:g}", "seconds"
