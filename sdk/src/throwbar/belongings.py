"""What ends with a client? Backends, and registries of them, that nobody else closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from throwbar.engine import log
from throwbar.errors import ConfigurationError

if TYPE_CHECKING:  # few services have any, and the others should not pay for importing them
    from throwbar.adapters import AdapterRegistry
    from throwbar.backends import Backend

    Belonging = Backend[object] | AdapterRegistry


class Belongings:
    """Ended once, the newest first: what was made last may stand on what was made before it.

    Without a lock, so that there is none to be held by a parent's thread when a child is forked. A child inherits the
    list, and ends what it made itself: that is how both kinds treat a fork.
    """

    def __init__(self) -> None:
        self._things: list[Belonging] = []

    def add(self, thing: object) -> None:
        """Raises ConfigurationError for what is neither."""
        from throwbar.adapters import AdapterRegistry  # noqa: PLC0415 - whoever has one has loaded it
        from throwbar.backends import Backend  # noqa: PLC0415 - as above

        if not isinstance(thing, Backend | AdapterRegistry):
            raise ConfigurationError(f"{thing!r} is neither a Backend nor an AdapterRegistry: wrap it in a Backend")
        self._things.append(thing)

    def close(self) -> None:
        """What raises is logged, and the others are ended all the same."""
        while (thing := self._take()) is not None:
            try:
                thing.close()
            except Exception as error:  # noqa: BLE001 - the service's own code, at its end
                _note(thing, error)

    async def aclose(self) -> None:
        """The same for coroutines."""
        while (thing := self._take()) is not None:
            try:
                await thing.aclose()
            except Exception as error:  # noqa: BLE001 - as above
                _note(thing, error)

    def _take(self) -> Belonging | None:
        try:
            return self._things.pop()
        except IndexError:
            return None


def _note(thing: Belonging, error: Exception) -> None:
    log.warning("closing %r failed", thing, exc_info=error)
