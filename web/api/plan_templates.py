"""Plan templates: the plans that most migrations begin with."""

from flask import Blueprint, Response

from controlplane.documents.plan_templates import template_documents
from controlplane.usecases import environments
from web.api import reading
from web.api.answering import listed
from web.wiring import wired

blueprint = Blueprint("plan_templates", __name__, url_prefix="/environments/<environment>/plan-templates")


@blueprint.get("")
def list_all(environment: str) -> Response:
    """Name, description and plan of each template: a plan goes into a flag as it is."""
    reading.known()
    environments.get_environment(wired().store, environment)
    return listed(list(template_documents()))
