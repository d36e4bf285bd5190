"""The way somebody was on when they had to sign in: kept in their browser, since a link or a provider brings them back
to another address.
"""

from datetime import timedelta

from flask import session, url_for

from web.kept import is_ours
from web.wiring import wired

PLACE = "way"
LASTS = timedelta(hours=24)  # as long as a sign-in link


def keep(then: str | None) -> None:
    """Where to go once they are in; nothing for an address that leads to somebody else's site."""
    if then and is_ours(then):
        session[PLACE] = {"to": then, "at": wired().clock().timestamp()}


def ahead() -> str:
    """The page that somebody was on the way to, else the first one."""
    kept = session.get(PLACE) or {"to": "", "at": 0.0}
    is_over = wired().clock().timestamp() - kept["at"] > LASTS.total_seconds()
    return url_for("ui.flags.home") if is_over or not is_ours(kept["to"]) else str(kept["to"])


def taken() -> str:
    """`ahead`, which is over by that."""
    to = ahead()
    session.pop(PLACE, None)
    return to
