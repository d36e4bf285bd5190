"""The composition root: a Flask application from a store, settings and a clock."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from controlplane.clock import Clock, utc_now
from controlplane.settings import Settings
from controlplane.store import Store
from web import api, ui
from web.api import metrics
from web.assets import serve_assets
from web.auth import guard
from web.errors import handle_errors
from web.headers import dress_answers
from web.names import refuse_strange_names
from web.secret_key import find_secret_key
from web.wiring import Wiring, install

if TYPE_CHECKING:  # these names exist for type checkers only
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_BODY = 1024 * 1024  # bytes


def create_app(store: Store, settings: Settings, clock: Clock = utc_now) -> Flask:
    """The management API and the pages. Raises SettingsError when no secret key can be had."""
    return wire(make_routes(), store, settings, clock)


def make_routes() -> Flask:
    """Every door, with nothing behind it yet: all that does not depend on a store, on settings or on a clock."""
    app = Flask("web", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # documents keep the order they are written in
    dress_answers(app)
    app.before_request(guard)
    app.before_request(refuse_strange_names)
    handle_errors(app)
    serve_assets(app)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(ui.blueprint)
    app.wsgi_app = _read_to_the_end(app.wsgi_app)  # type: ignore[assignment, method-assign]  # Flask's own way to wrap it
    return app


def wire(app: Flask, store: Store, settings: Settings, clock: Clock) -> Flask:
    """The same application, which from now on answers from these. Raises SettingsError as `create_app` does."""
    app.secret_key = find_secret_key(settings)
    install(app, Wiring(store, clock, settings, app.secret_key))
    return app


def _read_to_the_end(application: "WSGIApplication") -> "WSGIApplication":
    """A chunked body has no length: the server in front ends it, and Werkzeug must be told so, or it reads nothing."""

    def told(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            environ["wsgi.input_terminated"] = True
        return application(environ, start_response)

    return told
