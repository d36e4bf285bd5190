"""What do the charts draw? The use case's series, with the words a chart needs."""

from datetime import timedelta
from typing import Any

from controlplane.usecases.changing import Place
from controlplane.usecases.charting import flag_charts
from web.ui import asking, diffs
from web.ui.charts import chosen_range
from web.ui.moments import instant
from web.wiring import wired


def chart_data(place: Place) -> dict[str, Any]:
    """Series by operation, limits, and the events on the time axis; instants are seconds since the epoch."""
    now, (_, span) = asking.now(), chosen_range()
    since = now - timedelta(seconds=span)
    charts = flag_charts(wired().store, place, now, wired().clockwork, since)
    return {
        "from": since.timestamp(),
        "until": now.timestamp(),
        "operations": {name: each["series"] for name, each in charts["operations"].items()},
        "evidence": {
            "flag": charts["course"],
            "operations": {name: each["course"] for name, each in charts["operations"].items()},
        },
        "limits": charts["limits"],
        "events": [_event(each) for each in charts["events"]],
    }


def _event(each: dict[str, Any]) -> dict[str, Any]:
    at = instant(each["at"])
    return {
        "at": at.timestamp() if at else None,
        "action": each["action"],
        "label": f"{diffs.actor(each['actor'])} {diffs.action(each)}",
        "sentence": each["sentence"],
    }
