"""What could each stage of a plan see, while the plan is being written? None where that cannot be said yet."""

from collections.abc import Mapping
from typing import Any

from controlplane.domain.errors import InvalidInput, Refused
from controlplane.usecases.changing import Place
from controlplane.usecases.planning import forecast_plan
from web.ui import asking
from web.wiring import wired


def of_plan(place: Place, plan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The forecast of a plan that is only tried; a plan with mistakes has none, and the form tells them."""
    if not plan:
        return None
    try:
        return forecast_plan(wired().store, place, asking.now(), wired().clockwork, plan)
    except (InvalidInput, Refused):
        return None
