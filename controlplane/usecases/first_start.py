"""The first start: what a server makes sure of each time, and has to make only once."""

from datetime import datetime

from controlplane.settings import Settings
from controlplane.store import Store
from controlplane.usecases.changing import Cause
from controlplane.usecases.environments import ensure_first
from controlplane.usecases.signing_in import first_link
from controlplane.usecases.tokens import FIRST_START, bootstrap_tokens


def make_ready(store: Store, settings: Settings, now: datetime) -> str | None:
    """The environment `production`, the tokens of the settings and the first administrator.

    The secret of a fresh sign-in link, as long as nobody has a password; else None.
    """
    ensure_first(store, Cause(FIRST_START, now))
    bootstrap_tokens(store, settings, now)
    return first_link(store, now, settings.admin_email, settings.admin_password)
