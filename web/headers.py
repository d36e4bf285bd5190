"""What every answer carries: a request id, and what a browser may do with the page."""

import re
import secrets

from flask import Flask, Response, g, request

from web import assets

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Nothing from elsewhere, nothing inline: a text that a service or a colleague sent cannot become a script.
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def dress_answers(app: Flask) -> None:
    """Must be called first: everything after it may use `g.request_id`."""
    app.before_request(_name_request)
    app.after_request(_dress)


def _name_request() -> None:
    """The caller's own id when it is harmless to log, else one of ours."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _SANE.fullmatch(given) else secrets.token_hex(8)


def _dress(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != assets.ENDPOINT or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response
