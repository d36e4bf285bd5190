"""The instances of an environment: which processes report, and which snapshot they obey."""

from flask import Blueprint, render_template

from controlplane.usecases.instances import list_instances
from web.ui import asking
from web.wiring import wired

blueprint = Blueprint("instances", __name__, url_prefix="/environments/<environment>/instances")


@blueprint.get("")
def list_all(environment: str) -> str:
    """The page, or with htmx its table."""
    now = asking.now()
    found = list_instances(wired().store, environment, now)
    template = "instances_found.html" if asking.is_fragment() else "instances.html"
    return render_template(template, environment=environment, instances=found, now=now)
