"""Where are pins kept? In this process, or wherever a service keeps what all its processes share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from throwbar.clock import monotonic
from throwbar.errors import ConfigurationError
from throwbar.forked import renew_after_fork

PINS = 100_000


class PinStore(Protocol):
    """Small texts that are forgotten when they are not used. May raise; the call goes on without a pin.

    With Redis: `get` is GETEX name EX seconds, `set` is SET name value EX seconds, `delete` is DEL name.
    """

    def get(self, name: str, ttl_seconds: float) -> str | bytes | None:
        """What was set, which from now on lives for another `ttl_seconds`."""

    def set(self, name: str, value: str, ttl_seconds: float) -> None: ...

    def delete(self, name: str) -> None: ...


class _Kept(NamedTuple):
    value: str
    until: float


class MemoryPinStore:
    """The pins of one process, at most `limit`: the one that was not used for longest goes first."""

    def __init__(self, limit: int = PINS, clock: Callable[[], float] = monotonic) -> None:
        if not limit > 0:
            raise ConfigurationError(f"limit is {limit!r}, not a positive number")
        self._limit = limit
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.RLock()
        renew_after_fork(self)

    def renew(self) -> None:
        """A new process. The pins stay: the child serves the sessions of its parent."""
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: str, ttl_seconds: float) -> str | None:
        with self._lock:
            kept = self._kept.pop(name, None)
            now = self._clock()
            if kept is None or now >= kept.until:
                return None
            self._kept[name] = _Kept(kept.value, now + ttl_seconds)
            return kept.value

    def set(self, name: str, value: str, ttl_seconds: float) -> None:
        with self._lock:
            self._kept.pop(name, None)
            self._kept[name] = _Kept(value, self._clock() + ttl_seconds)
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def delete(self, name: str) -> None:
        with self._lock:
            self._kept.pop(name, None)
