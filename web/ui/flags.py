"""Flags as people see them: the list of an environment, and one flag with everything about it."""

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from controlplane.domain.feature import Kind
from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from web.ui import asking, variants
from web.ui.answering import page, to
from web.ui.flag_page import chart_parts, live_parts, whole_page
from web.ui.flags_page import list_page
from web.ui.overview import STATES, Wish
from web.ui.series import chart_data
from web.wiring import wired

blueprint = Blueprint("flags", __name__)


@blueprint.get("/")
def home() -> Response:
    """The first environment that the person may see."""
    viewer = asking.viewer()
    if viewer is None or not viewer.environments:
        return page("nothing_yet.html")
    return to(url_for("ui.flags.list_all", environment=viewer.environments[0]))


@blueprint.get("/environments/<environment>/flags")
def list_all(environment: str) -> str:
    """The list, or with htmx its rows: searched while typing, fresh by itself."""
    wish = _wish()
    if asking.is_fragment():
        return render_template("flags_found.html", **list_page(environment, wish))
    return render_template("flags.html", **list_page(environment, wish))


def _wish() -> Wish:
    given = {name: request.args.get(name, "").strip() for name in ("q", "state", "kind", "owner", "tag")}
    return Wish(
        search=given["q"],
        state=given["state"] if given["state"] in STATES else "",
        kind=given["kind"] if given["kind"] in tuple(Kind) else "",
        owner=given["owner"],
        tag=given["tag"],
        archived=request.args.get("archived") == "1",
        page=max(1, request.args.get("page", 1, type=int)),
    )


@blueprint.get("/environments/<environment>/flags/<flag>")
def show(environment: str, flag: str) -> str:
    return render_template("flag.html", **whole_page(Place(environment, flag)))


@blueprint.get("/environments/<environment>/flags/<flag>/live")
def live(environment: str, flag: str) -> str:
    """The parts of the page that turn by themselves, for htmx."""
    return render_template("flag/live.html", out_of_band=True, **live_parts(Place(environment, flag)))


@blueprint.get("/environments/<environment>/flags/<flag>/summaries")
def summaries(environment: str, flag: str) -> str:
    """What the charts say in words and tables, for htmx."""
    place = Place(environment, flag)
    answer = variants.sided(describe_flag(wired().store, place, asking.now()))
    return render_template("flag/summaries.html", out_of_band=True, **chart_parts(place, answer))


@blueprint.get("/environments/<environment>/flags/<flag>/series")
def series(environment: str, flag: str) -> Response:
    """What the charts draw, as JSON."""
    return jsonify(chart_data(Place(environment, flag)))
