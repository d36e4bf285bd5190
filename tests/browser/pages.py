"""Which pages and doors does the application have? Its own url map says, so that a new one is not forgotten."""

import tempfile
from functools import cache
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from controlplane.settings import Settings
from controlplane.store import open_store
from web.access import UI
from web.app import create_app

ARGUMENTS = {
    "environment": "production",
    "flag": "dspex-bridge",
    "operation": "echo",
    "entry": 1,
    "webhook": 1,
    "secret": "tb_link_x",
}
FEATURES = ({"flag": "new-checkout"}, {"flag": "search-v2"})  # one that is targeted, one that is moved
OTHER_FORM = "/environments/production/new-flag?kind=feature"
# Not pages: files, data for scripts, parts of pages, and what only goes elsewhere.
NO_PAGES = {
    "static": "files",
    "ui.flags.home": "a redirect",
    "ui.openid.leave": "a redirect to the provider",
    "ui.openid.come_back": "a redirect from it",
    "ui.flags.series": "JSON",
    "ui.flags.live": "parts",
    "ui.flags.summaries": "parts",
    "ui.previews.percent": "a part",
    "ui.start.heard": "a part",
    "ui.history.export": "a file",
    "ui.wheel.download": "a file",
}


@cache
def the_map() -> tuple[MapAdapter, tuple[str, ...], frozenset[str]]:
    """What finds the door of an address; the address of every page; the name of every door that takes a POST."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'throwbar.db'}"
        with open_store(url) as store:
            app: Flask = create_app(store, Settings(database_url=url, secret_key="a secret key of the tests"))
            rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in UI]
            opened = [rule for rule in rules if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES]
            adapter = app.url_map.bind("127.0.0.1")
            built = [
                rule.build({name: {**ARGUMENTS, **kind}[name] for name in rule.arguments})
                for rule in opened
                for kind in ({}, *(FEATURES if "flag" in rule.arguments else ()))
            ]
            posts = {rule.endpoint for rule in rules if "POST" in (rule.methods or ())}
    paths = {str(path) for _, path in filter(None, built)} | {OTHER_FORM}
    return adapter, tuple(sorted(paths)), frozenset(posts)


def every_page() -> tuple[str, ...]:
    return the_map()[1]


def every_post() -> frozenset[str]:
    return the_map()[2]


def door_of(path: str) -> tuple[str, dict[str, object]] | None:
    """The name and the arguments of the door that a form sends to; None where there is none."""
    try:
        return the_map()[0].match(path, method="POST")
    except (HTTPException, RequestRedirect):
        return None
