"""The first hour: a token, three lines of code, and waiting for the first report."""

from flask import Blueprint, render_template, request

from controlplane.domain.access import TokenKind, TokenRequest
from controlplane.usecases.answers import describe_flags
from controlplane.usecases.instances import list_instances
from controlplane.usecases.tokens import create_token
from web.ui import asking
from web.wiring import wired

blueprint = Blueprint("start", __name__, url_prefix="/environments/<environment>/start")


@blueprint.get("")
def show(environment: str) -> str:
    return _page(environment)


@blueprint.post("")
def make_token(environment: str) -> str:
    """The same page with a token in it: it is shown this once, so it cannot be redirected to."""
    wanted = TokenRequest(TokenKind.SDK, f"first hour in {environment}", environment)
    _, secret = create_token(wired().store, wanted, asking.asked())
    return _page(environment, secret=secret)


@blueprint.get("/heard")
def heard(environment: str) -> str:
    """The last step, for htmx: it asks until somebody was heard of."""
    return render_template("start/heard.html", environment=environment, **_heard(environment))


def _page(environment: str, secret: str | None = None) -> str:
    flags = describe_flags(wired().store, environment, asking.now())
    example = next((flag for flag in flags if flag["operations"]), None)
    context = {"url": request.url_root.rstrip("/"), "secret": secret, "flags": flags, "example": example}
    return render_template("start.html", environment=environment, **context, **_heard(environment))


def _heard(environment: str) -> dict[str, object]:
    now = asking.now()
    heard = [each for each in list_instances(wired().store, environment, now) if each["reports"]]
    return {"instances": heard, "now": now}
