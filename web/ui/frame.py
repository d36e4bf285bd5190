"""What every template may use: who looks, the words for times and numbers, the looks of verdicts."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g
from markupsafe import Markup, escape

from controlplane.domain import words
from controlplane.domain.destination import origin_of
from controlplane.domain.errors import NotSignedIn
from web.auth import csrf_token
from web.ui import agents, asking, diffs, forms, moments, present, records, routing, standing, webhook_forms
from web.wiring import wired


def dress_templates(blueprint: Blueprint) -> None:
    """Filters and names for all templates, the error page included: it is rendered outside of any view."""
    blueprint.app_context_processor(_surroundings)
    blueprint.add_app_template_global(csrf_token)
    blueprint.add_app_template_global(_wants_reason, "wants_reason")
    blueprint.add_app_template_global(_provider_label, "provider_label")
    for name, function in _FILTERS.items():
        blueprint.add_app_template_filter(function, name)


def _surroundings() -> dict[str, Any]:
    return {"viewer": _viewer(), "clock": asking.now}


def _viewer() -> asking.Viewer | None:
    """Asked once for a page, however many of its forms ask who looks."""
    if "viewer_of_page" not in g:
        g.viewer_of_page = _whoever_looks()
    found: asking.Viewer | None = g.viewer_of_page
    return found


def _whoever_looks() -> asking.Viewer | None:
    try:
        return asking.viewer()
    except NotSignedIn:  # a bad token: the page that says so needs a frame, too
        return None


def _wants_reason() -> bool:
    """For macros, which see no context: whether the environment of this page asks for reasons."""
    viewer = _viewer()
    return viewer is not None and viewer.wants_reason


def _provider_label() -> str:
    """What the button of the identity provider is called; empty without one."""
    settings = wired().settings
    return settings.admission.label if settings.oidc_issuer else ""


def _when(at: Any, now: Any) -> Markup | str:  # noqa: ANN401 - ISO text, an instant or nothing
    """A `<time>` with the relative wording, and the whole truth as its tooltip."""
    parsed = moments.instant(at)
    if parsed is None:
        return "never"
    return _time(parsed, moments.ago(parsed, now))


def _moment(at: Any, now: Any) -> Markup | str:  # noqa: ANN401 - as above
    """A `<time>` with the shortest exact wording."""
    parsed = moments.instant(at)
    if parsed is None:
        return "never"
    return _time(parsed, moments.moment(parsed, now))


def _time(at: Any, told: str) -> Markup:  # noqa: ANN401 - an aware instant
    machine, whole = at.isoformat(timespec="seconds"), moments.exactly(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, whole, escape(told))


_FILTERS: dict[str, Callable[..., Any]] = {
    "when": _when,
    "moment": _moment,
    "span": moments.span,
    "percent": moments.percent,
    "rate": moments.rate,
    "milliseconds": moments.milliseconds,
    "count": moments.count,
    "one_in": words.one_in,
    "look": present.look,
    "browser": agents.browser,
    "waiting": standing.waiting,
    "field_label": forms.label,
    "shown_health": present.shown_health,
    "actor": diffs.actor,
    "did": diffs.action,
    "lines": diffs.lines,
    "decided": records.decided,
    "is_automatic": diffs.is_automatic,
    "seen": routing.seen_words,
    "origin": origin_of,
    "fares": webhook_forms.fares,
    "delivery_look": webhook_forms.looks,
    "came_of_it": webhook_forms.came_of_it,
}
