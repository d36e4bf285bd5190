"""What stands on the page of one flag? Gathers answers of the use cases; nothing is decided here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain.flag import Flag
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.charting import flag_totals
from controlplane.usecases.entries import newest_changes
from controlplane.usecases.freezes import list_freezes
from controlplane.usecases.health import flag_health
from controlplane.usecases.history import moves_of_attempt
from controlplane.usecases.instances import convergence
from controlplane.usecases.previewing import preview
from controlplane.usecases.routing import list_mismatches, overrides_in_force
from web.ui import asking, phases, present, records, routing, stages, standing, variants, verbs
from web.ui.charts import QUANTILES, RANGES, chosen_quantiles, chosen_range, summaries, toggled
from web.ui.timeline import Timeline, timeline
from web.wiring import wired

HISTORY = 30
MISMATCHES = 40  # of all operations together
ROUTING_SPAN = timedelta(minutes=5)


def live_parts(place: Place) -> dict[str, Any]:
    """The parts that turn by themselves: state, rollout, operations, findings, convergence, routing."""
    store, now = wired().store, asking.now()
    answer = variants.sided(describe_flag(store, place, now))
    history = newest_changes(store, place, HISTORY)
    health = flag_health(store, place, now, wired().clockwork, since=now - ROUTING_SPAN)
    landed = convergence(store, place, now)
    ahead = preview(store, place, now, wired().clockwork)
    stations = stages.stations(answer, now)
    return {
        "place": place,
        "flag": answer,
        "is_feature": variants.is_feature(answer),
        "variants": variants.table(answer),
        "targeting_text": variants.written(answer["targeting"]),
        "now": now,
        "sentence": standing.state(answer, now),
        "banner": present.banner(answer, history),
        "rehearsal": records.rehearsal(answer, history, now),
        "data": phases.data(answer),
        "cost": phases.cost(phases.data(answer)),
        "asks_key": phases.asks_key(answer),
        "stations": stations,
        "timeline": _timeline(place, ahead.flag, [each.mode for each in stations], now),
        "waiting": standing.waiting(answer, now),
        "verbs": verbs.allowed(answer),
        "ahead": ahead,
        "missing": verbs.missing_for_start(answer),
        "may_roll_back": verbs.may_roll_back(answer),
        "health": health,
        "convergence": landed,
        "routing": routing.panel(answer, health, landed["instances"], list_mismatches(store, place, limit=MISMATCHES)),
        "overridden": routing.overridden(overrides_in_force(store, place, now)),
        "route_modes": routing.MODES,
        "breaker_modes": routing.BREAKER_MODES,
        "history": history,
    }


def _timeline(place: Place, flag: Flag, modes: Sequence[str], now: datetime) -> Timeline | None:
    store = wired().store
    return timeline(flag, moves_of_attempt(store, place), list_freezes(store, place.environment), modes, now)


def whole_page(place: Place) -> dict[str, Any]:
    """The live parts and what surrounds them."""
    parts = live_parts(place)
    return {**parts, **chart_parts(place, parts["flag"])}


def chart_parts(place: Place, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the charts say, in words and as a table, for the range that was asked for."""
    name, span = chosen_range()
    now = asking.now()
    totals = flag_totals(wired().store, place, now, wired().clockwork, now - timedelta(seconds=span))
    quantiles = chosen_quantiles()
    return {
        "ranges": RANGES,
        "range": name,
        "quantiles": quantiles,
        "quantile_links": {each: toggled(quantiles, each) for each in QUANTILES},
        "summaries": summaries(answer, totals, quantiles),
    }
