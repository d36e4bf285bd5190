"""Names in addresses: nothing is called what no name may look like, so no database is asked for it."""

from flask import request

from controlplane.domain.errors import NotFound
from controlplane.domain.names import KEY, KEY_RULE
from web import assets


def refuse_strange_names() -> None:
    """Before each request. Raises NotFound; files have names of their own."""
    if request.endpoint == assets.ENDPOINT:
        return
    for name, value in (request.view_args or {}).items():
        if isinstance(value, str) and not KEY.fullmatch(value):
            message = f"there can be no {name} of this name: one {KEY_RULE}"
            raise NotFound(message)
