"""Plan templates: the plans that most migrations begin with, to be taken as they are or changed."""

from collections.abc import Iterator, Mapping
from typing import Any

HOUR, DAY = 3600, 86_400
_WEEK, _MONTH = 7 * DAY, 30 * DAY


def _stage(percent: float, bake_seconds: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON holds
    return {"percent": percent, "bake_seconds": bake_seconds, "approval": False, **more}


def _phase(phase: str, percent: float, bake_seconds: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {"phase": phase, **_stage(percent, bake_seconds, **more)}


# Each but `data` ends at 98 %: the hold-back keeps the comparison alive until a person says `finish`.
TEMPLATES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "cautious": (
        "Cautious: 1, 10, 50, 98 %, a week each, with approval at 50 %",
        {"stages": [_stage(1, _WEEK), _stage(10, _WEEK), _stage(50, _WEEK, approval=True), _stage(98, _MONTH)]},
    ),
    "eight-week": (
        "Eight weeks: two at 1 %, two at 10 %, two at 50 % with approval, then 98 %",
        {
            "stages": [
                _stage(1, 2 * _WEEK),
                _stage(10, 2 * _WEEK),
                _stage(50, 2 * _WEEK, approval=True),
                _stage(98, 2 * _WEEK),
            ]
        },
    ),
    "standard": (
        "Standard: 1, 10, 50, 98 % within a fortnight",
        {"stages": [_stage(1, DAY), _stage(10, 2 * DAY), _stage(50, 3 * DAY), _stage(98, _WEEK)]},
    ),
    "fast": (
        "Fast: 1, 10, 50, 98 % within a working day",
        {"stages": [_stage(1, 600), _stage(10, 1800), _stage(50, HOUR), _stage(98, 4 * HOUR)]},
    ),
    "switch": (
        "Switch: reads in the shadow for a week, then 1, 10, 50 % and a month at 98 %",
        {
            "stages": [
                _stage(0, _WEEK, mode="shadow", notes="Nobody is served by the candidate: answers are compared."),
                _stage(1, 3 * DAY, mode="single"),
                _stage(10, _WEEK),
                _stage(50, _WEEK, approval=True),
                _stage(98, _MONTH, notes="Live: when this has baked, finish drops the hold-back."),
            ]
        },
    ),
    "data": (
        "Data: both stores written, reads compared, then live at 1, 10, 50, 100 %, ramp-down, and complete by hand",
        {
            "kind": "data",
            "stages": [
                _phase(
                    "dual_write", 0, 2 * _WEEK, approval=True, notes="Copy what is older over before this is approved."
                ),
                _phase("shadow", 0, _WEEK, notes="Reads go to the candidate as well, and answers are compared."),
                _phase("live", 1, 3 * DAY),
                _phase("live", 10, _WEEK),
                _phase("live", 50, _WEEK, approval=True),
                _phase("live", 100, _WEEK),
                _phase("ramp_down", 100, _MONTH, notes="The baseline is still written: going back loses nothing."),
                _phase("complete", 100, _WEEK, notes="Only by hand: no way leads back from here."),
            ],
        },
    ),
}


def template_documents() -> Iterator[dict[str, Any]]:
    """Name, description and plan of each, as API and shell answer them."""
    for name, (description, plan) in TEMPLATES.items():
        yield {"name": name, "description": description, "plan": plan}
