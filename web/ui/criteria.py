"""The page of a migration's success criteria, and the report to hand on."""

from flask import Blueprint, Response

from controlplane.usecases.answers import describe_flag
from controlplane.usecases.changing import Place
from controlplane.usecases.criteria import describe_criteria
from controlplane.usecases.reporting import migration_report
from web.report import WORDS, content_security, report_page
from web.ui import asking, phases, variants, verbs
from web.ui.answering import page
from web.wiring import wired

blueprint = Blueprint("criteria", __name__, url_prefix="/environments/<environment>/flags/<flag>")

LOOKS = {"pass": ("check", "healthy"), "fail": ("alert", "unhealthy"), "not_enough_data": ("clock", "")}


@blueprint.get("/criteria")
def show(environment: str, flag: str) -> Response:
    place, now = Place(environment, flag), asking.now()
    flag_now, found = (
        variants.sided(describe_flag(wired().store, place, now)),
        describe_criteria(wired().store, place, now),
    )
    who = asking.viewer()
    may_finish = who is not None and who.can_operate and verbs.may_finish(flag_now)
    return page(
        "criteria.html",
        found=found,
        looks=LOOKS,
        words=WORDS,
        place=place,
        flag=flag_now,
        now=now,
        may_finish=may_finish,
        asks_key="finish" in phases.asks_key(flag_now),
    )


@blueprint.get("/report")
def report(environment: str, flag: str) -> Response:
    """One file without anything from elsewhere; a browser saves or prints it."""
    found = migration_report(wired().store, Place(environment, flag), asking.now())
    answer = Response(report_page(found), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = f"{content_security()}; frame-ancestors 'none'"
    return answer
