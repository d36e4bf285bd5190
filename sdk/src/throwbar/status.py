"""How is this client doing?"""

from collections.abc import Mapping
from typing import NamedTuple


class Status(NamedTuple):
    """A moment of a client's life. Times in seconds since the epoch, `None` for never.

    `stale` says that the control plane has not confirmed the snapshot for three poll intervals. `last_error` is
    the newest unsolved trouble in one sentence, or ""; `failures` counts how often in a row each of `polling`,
    `reporting`, `backup` and `overrides` went wrong, and is empty while all is well. `pin_store_errors` is how often
    stores of pins failed: each time a session went unpinned, and no call was harmed. `archived` are flags that this
    process still asks for: they answer with their final backend for a while, and their uses should go.
    """

    ready: bool
    environment: str
    source: str
    version: int
    stale: bool
    last_poll_at: float | None
    last_error: str
    service: str
    instance: str
    reports_sent: int
    reports_pending: int
    reports_dropped: int
    internal_errors: int
    overrides: Mapping[str, str]
    pin_store_errors: int
    failures: Mapping[str, int]
    archived: tuple[str, ...] = ()
