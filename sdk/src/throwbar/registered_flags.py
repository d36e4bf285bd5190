"""Which flags does a control plane have, and which of them are completed? Asked with an admin token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from throwbar.errors import ThrowbarError
from throwbar.transport import HttpTransport, Transport

_TIMEOUT_SECONDS = 30.0


class FlagsNotTold(ThrowbarError):
    """The control plane did not answer with its flags."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The operations of each flag, and the flags whose rollout is completed or that are archived."""

    operations: Mapping[str, frozenset[str]]
    completed: frozenset[str]


def ask(url: str, token: str, environment: str, transport: Transport | None = None) -> Registered:
    """All flags of an environment. Raises FlagsNotTold."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise FlagsNotTold(f"{url!r} is no URL that begins with http:// or https://")
    transport = transport or HttpTransport(url.rstrip("/"))
    operations: dict[str, frozenset[str]] = {}
    completed: set[str] = set()
    for archived in ("false", "true"):
        after: str | None = ""
        while after is not None:
            page = _page(transport, token, environment, {"limit": "500", "archived": archived, "after": after})
            for flag in page["items"]:
                operations[flag["key"]] = frozenset(flag.get("operations", ()))
                if flag.get("archived_at") or flag.get("rollout", {}).get("state") in ("completed", "finished"):
                    completed.add(flag["key"])
            after = page.get("next")
    return Registered(operations, frozenset(completed))


def _page(transport: Transport, token: str, environment: str, query: Mapping[str, str]) -> dict[str, Any]:
    asked = urlencode({name: value for name, value in query.items() if value})
    path = f"/api/v1/environments/{quote(environment, safe='')}/flags?{asked}"
    try:
        headers = {"Authorization": f"Bearer {token}"}
        status, _, body = transport("GET", path, headers, None, _TIMEOUT_SECONDS)
    except Exception as error:
        raise FlagsNotTold(f"no answer: {type(error).__name__}: {error}") from error
    if status != 200:
        raise FlagsNotTold(f"the control plane answered with status {status}; an admin token is needed")
    try:
        page = json.loads(body)
        if isinstance(page["items"], list):
            return dict(page)
    except (ValueError, KeyError, TypeError):
        pass
    raise FlagsNotTold("the answer is not a list of flags")
