"""ONE TABLE: domain error → status; and how errors are told, to machines and to people."""

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from jinja2 import TemplateNotFound
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from controlplane.domain import errors
from controlplane.domain.errors import InvalidInput, NotSignedIn, StaleForm, ThrowbarError, TooManyTries
from web import assets
from web.access import SIGN_IN
from web.kept import keep

OVER = "your session is over: sign in, and what you filled in is waiting for you"
_log = logging.getLogger(__name__)

STATUS: dict[type[ThrowbarError], HTTPStatus] = {
    errors.Malformed: HTTPStatus.BAD_REQUEST,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.AlreadyExists: HTTPStatus.CONFLICT,
    errors.Refused: HTTPStatus.CONFLICT,
    errors.StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    errors.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.StaleForm: HTTPStatus.FORBIDDEN,
    errors.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ProviderFailed: HTTPStatus.BAD_GATEWAY,
    errors.LeaseLost: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SchemaMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Unreachable: HTTPStatus.SERVICE_UNAVAILABLE,
}


_PLAIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="{style}">
<main class="door"><div class="stack">
  <p class="faint">{status}</p>
  <h1>{title}</h1>
  <p class="break">{detail}</p>
  <p class="soft">Try again. If it stays like this, tell whoever runs this server.</p>
  <div class="row"><a class="button primary" href="/">To the flags</a></div>
</div></main></html>
"""
_MACHINES = ("/api/", "/sdk/", "/ofrep/", "/flagd", "/v1/")
_WORDS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "there is nothing at this address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not answer {method}",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "what was sent is too large",
}


def handle_errors(app: Flask) -> None:
    """Every error of every view ends in one of three functions."""
    app.register_error_handler(ThrowbarError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: ThrowbarError) -> AnyResponse:
    if isinstance(error, NotSignedIn | StaleForm) and not is_for_machines() and request.path != SIGN_IN:
        return _to_sign_in() if isinstance(error, NotSignedIn) else _asked_again()
    status = STATUS[type(error)]
    response = _told(status, error.message, error)
    if isinstance(error, TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="throwbar"'
    return response


def _http(error: HTTPException) -> AnyResponse:
    if error.code is None or error.code < 400:
        return error.get_response()  # a redirect is an exception to Werkzeug
    response = _told(HTTPStatus(error.code), _sentence(error))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _sentence(error: HTTPException) -> str:
    """Werkzeug's own words speak of URLs and servers; what a view said stays."""
    own = error.description != type(error).description
    if own or error.code not in _WORDS:
        return error.description or error.name
    return _WORDS[error.code].format(method=request.method)


def _unexpected(error: Exception) -> AnyResponse:
    # The route, not the path: a path may hold the secret of a sign-in link.
    _log.error("request %s failed: %s %s", g.request_id, request.method, request.url_rule, exc_info=error)
    return _told(HTTPStatus.INTERNAL_SERVER_ERROR, f"something went wrong here; the log has it as {g.request_id}")


def is_for_machines() -> bool:
    """Whether the answer is read by a program; also where a service asks at a door that there is not."""
    if request.path.startswith(_MACHINES):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def problem(status: HTTPStatus, detail: str, error: ThrowbarError | None = None) -> dict[str, Any]:
    """RFC 9457. `errors` names each field that cannot be accepted."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "request_id": g.request_id,
    }
    if isinstance(error, InvalidInput):
        document["errors"] = [{"field": each.field, "message": each.message} for each in error.errors]
    return document


def _told(status: HTTPStatus, detail: str, error: ThrowbarError | None = None) -> Response:
    told = problem(status, detail, error)
    if is_for_machines():
        response = jsonify(told)
        response.mimetype = "application/problem+json"
    else:
        response = make_response(_page(told))
    response.status_code = status
    return response


def _page(told: dict[str, Any]) -> str:
    # What broke may break the page as well: an unexpected error is told without templates.
    if told["status"] < HTTPStatus.INTERNAL_SERVER_ERROR:
        try:
            return render_template("error.html", problem=told)
        except TemplateNotFound:
            pass
    detail = f"{told['detail'][:1].upper()}{told['detail'][1:]}."
    style = url_for(assets.ENDPOINT, filename="throwbar.css")
    return _PLAIN.format(title=escape(told["title"]), detail=escape(detail), status=told["status"], style=style)


def _to_sign_in() -> AnyResponse:
    """A form that somebody filled in comes along, and waits for them behind the sign-in."""
    if "HX-Request" in request.headers:
        return make_response("", HTTPStatus.UNAUTHORIZED)  # the page sends its form once more, as a form, or says so
    if request.method != "POST":
        return redirect(SIGN_IN + _then(), HTTPStatus.SEE_OTHER)
    kept = keep(request.path, request.form)
    return make_response(render_template("sign_in.html", kept=kept, message=OVER), HTTPStatus.UNAUTHORIZED)


def _then() -> str:
    """Whoever follows a link, from an alert at night, comes out where it leads to."""
    address = request.full_path.rstrip("?")
    return "" if address == "/" else f"?{urlencode({'then': address})}"


def _asked_again() -> AnyResponse:
    """The form of an earlier session, to be sent once more by whoever is signed in now."""
    if "HX-Request" in request.headers:
        return make_response("", HTTPStatus.UNAUTHORIZED)
    return make_response(render_template("again.html", kept=keep(request.path, request.form)), HTTPStatus.FORBIDDEN)
