"""The settings that this process runs with. A secret is never shown, not even in part."""

from flask import Blueprint, Response

from controlplane.settings import PREFIX, Settings, shown_settings
from web.ui.answering import page
from web.wiring import wired

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
def show() -> Response:
    given = wired().settings
    rows = [
        (f"{PREFIX}{name.upper()}", value, value != default)
        for (name, value), default in zip(
            shown_settings(given).items(), shown_settings(Settings()).values(), strict=True
        )
    ]
    return page("settings.html", rows=rows)
