"""The first hour: a token, three lines of code, and waiting for the first report."""

from collections.abc import Sequence

from flask import Blueprint, render_template, request

from controlplane.domain.access import Token, TokenKind, TokenRequest
from controlplane.usecases.instances import list_instances
from controlplane.usecases.listing import describe_flags
from controlplane.usecases.tokens import create_token, list_tokens
from web.ui import asking, wheel
from web.wiring import wired

blueprint = Blueprint("start", __name__, url_prefix="/environments/<environment>/start")


@blueprint.get("")
def show(environment: str) -> str:
    return _page(environment)


@blueprint.post("")
def make_token(environment: str) -> str:
    """The same page with a token in it: it is shown this once, so it cannot be redirected to.

    Buttons lead here rather than links, so that whoever may make a token finds one on the page: opening an address
    makes nothing.
    """
    earlier = _made_here(environment)
    wanted = TokenRequest(TokenKind.SDK, _name(environment), environment)
    _, secret = create_token(wired().store, wanted, asking.asked())
    return _page(environment, secret=secret, earlier=earlier)


@blueprint.get("/heard")
def heard(environment: str) -> str:
    """The last step, for htmx: it asks until somebody was heard of."""
    return render_template("start/heard.html", environment=environment, key=_asked_for(), **_heard(environment))


def _name(environment: str) -> str:
    return f"first hour in {environment}"


def _made_here(environment: str) -> list[Token]:
    """Tokens of this page that still open something: what is shown once cannot be shown again, so they add up."""
    name, now = _name(environment), asking.now()
    return [each for each in list_tokens(wired().store) if each.name == name and each.is_valid(now)]


def _page(environment: str, secret: str | None = None, earlier: Sequence[Token] = ()) -> str:
    flags = describe_flags(wired().store, environment, asking.now())
    able = [flag for flag in flags if flag["operations"] and not flag.get("targeting")]  # the SDK decides these
    example = next((flag for flag in able if flag["key"] == _asked_for()), next(iter(able), None))
    url = request.url_root.rstrip("/")
    sdk = wheel.address()
    context = {"url": url, "sdk": f"{url}{sdk}" if sdk else None, "secret": secret, "flags": flags, "example": example}
    key = example["key"] if example else ""
    return render_template(
        "start.html", environment=environment, key=key, earlier=earlier, **context, **_heard(environment)
    )


def _asked_for() -> str:
    """The flag from whose page somebody comes."""
    return request.values.get("flag", "")


def _heard(environment: str) -> dict[str, object]:
    now = asking.now()
    heard = [each for each in list_instances(wired().store, environment, now) if each["reports"]]
    return {"instances": heard, "now": now}
