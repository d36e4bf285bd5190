"""How is a change answered?

Done: a redirect, or the live parts. Refused: the same page with the reason. Stale: both versions, and what was wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, flash, make_response, render_template, request, url_for

from controlplane.domain.errors import AlreadyExists, FieldError, InvalidInput, Refused, StaleVersion, ThrowbarError
from controlplane.usecases.changing import Cause, Place
from controlplane.usecases.entries import newest_changes
from web.errors import STATUS
from web.ui import asking
from web.ui.flag_page import live_parts, whole_page
from web.wiring import wired

Change = Callable[[Cause], object]
CHANGES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """One message on top of a page; `style` is good, warn or bad."""

    style: str
    title: str
    details: tuple[FieldError, ...] = ()


def carried_out(
    place: Place, change: Change, done: str, wrong: Callable[[InvalidInput], Response] | None = None
) -> Response:
    """One change to a flag, answered as the asker needs it: with htmx in parts, else by post, redirect, get.

    `wrong` answers what cannot be accepted, where a form has a field to tell it at.
    """
    try:
        change(asking.asked())
    except StaleVersion as error:
        return _stale(place, error)
    except (Refused, InvalidInput, AlreadyExists) as error:
        return wrong(error) if wrong and isinstance(error, InvalidInput) else _refused(place, error)
    if asking.is_fragment():
        return _fragment("flag/changed.html", HTTPStatus.OK, notice=Notice("good", done), **live_parts(place))
    return done_and_back(url_for("ui.flags.show", environment=place.environment, flag=place.flag), done)


def to(address: str) -> Response:
    """After a post, another page."""
    response = make_response("", HTTPStatus.SEE_OTHER)
    response.headers["Location"] = address
    return response


def done_and_back(address: str, done: str) -> Response:
    """Post, redirect, get: the page at the address says once what was done."""
    flash(done)
    return to(address)


def _refused(place: Place, error: ThrowbarError) -> Response:
    details = error.errors if isinstance(error, InvalidInput) else ()
    title = "Nothing was changed." if details else f"Nothing was changed: {error.message}."
    notice, status = Notice("bad", title, details), STATUS[type(error)]
    if asking.is_fragment():
        return _fragment("flag/notice.html", status, notice=notice)
    return page("flag.html", status, notice=notice, **whole_page(place))


def _stale(place: Place, error: StaleVersion) -> Response:
    """What others did since, what was wanted, and one button that does it on top of the newest version."""
    given = request.form.get("expected", "0")
    since = [
        each for each in newest_changes(wired().store, place, CHANGES_SHOWN) if (each["version"] or 0) > int(given)
    ]
    template = "flag/conflict.html" if asking.is_fragment() else "conflict.html"
    context = {"given": given, "current": error.current, "since": since, "wanted": asking.fields(), "place": place}
    return _fragment(template, STATUS[StaleVersion], reason=request.form.get("reason", ""), **context)


def _fragment(template: str, status: int, **context: object) -> Response:
    return make_response(render_template(template, **context), status)


def page(template: str, status: int = HTTPStatus.OK, **context: object) -> Response:
    """A whole page."""
    return make_response(render_template(template, **context), status)
