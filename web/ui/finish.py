"""The pages of the end: a flag's finish line, and the flags that look forgotten."""

from flask import Blueprint, Response

from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.finish import describe_finish, list_stale
from web.ui import asking, variants
from web.ui.answering import page
from web.wiring import wired

blueprint = Blueprint("finish", __name__, url_prefix="/environments/<environment>")


@blueprint.get("/flags/<flag>/finish-line")
def show(environment: str, flag: str) -> Response:
    place, now = Place(environment, flag), asking.now()
    current, found = (
        variants.sided(describe_flag(wired().store, place, now)),
        describe_finish(wired().store, place, now),
    )
    return page("finish.html", place=place, flag=current, found=found, now=now)


@blueprint.get("/stale")
def stale(environment: str) -> Response:
    found = list_stale(wired().store, environment, asking.now())
    return page("stale.html", environment=environment, found=found, now=asking.now())
