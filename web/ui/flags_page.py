"""What stands on the list of an environment? Gathers answers of the use cases; nothing is decided here."""

from typing import Any

from controlplane.domain.webhook import Webhook
from controlplane.usecases.glance import recent_steps
from controlplane.usecases.instances import list_instances
from controlplane.usecases.listing import brief_flags
from controlplane.usecases.webhooks import needing_somebody
from web.ui import asking, variants
from web.ui.overview import STATES, Wish, overview
from web.ui.sparks import sparks
from web.wiring import wired


def list_page(environment: str, wish: Wish) -> dict[str, Any]:
    """Everything that `flags.html` and its rows show."""
    store, now = wired().store, asking.now()
    everything = [variants.sided(each) for each in brief_flags(store, environment, now, archived=wish.archived)]
    told = overview(everything, wish, now)
    steps, heard = recent_steps(store, environment, [flag["key"] for flag in told.rows], now)
    return {
        "environment": environment,
        "now": now,
        "wish": wish,
        "states": STATES,
        "told": told,
        "any": bool(everything),
        "all": len(everything),
        "sparks": {flag["key"]: sparks(heard.get(flag["key"], {}), steps) for flag in told.rows},
        "processes": _processes(environment),
        "lost_webhooks": _lost_webhooks(),
    }


def _lost_webhooks() -> list[Webhook]:
    """For those who can do something about them."""
    viewer = asking.viewer()
    return needing_somebody(wired().store) if viewer and viewer.can_administer else []


def _processes(environment: str) -> dict[str, int]:
    """How many report, and how many of them obey the newest snapshot."""
    live = [each for each in list_instances(wired().store, environment, asking.now()) if not each["silent"]]
    return {"live": len(live), "current": sum(each["is_current"] for each in live)}
