"""Which workers may take sessions now? A worker that died is left alone, then tried with one new session."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import count

from throwbar.errors import ConfigurationError
from throwbar.rendezvous import contenders, ranking

TAINTED_SECONDS = 60.0
PROBE_SECONDS = 10.0  # a probe of which nothing bad is heard for so long has passed


_lives = count(1)


class Worker:
    """One worker. Every `life` has a number of its own: what it was given in an earlier one is lost."""

    __slots__ = ("dead", "life", "name", "probed_at", "until", "weight")

    def __init__(self, name: str, weight: float) -> None:
        self.name = name
        self.weight = weight
        self.life = next(_lives)
        self.dead = False
        self.until = 0.0
        self.probed_at: float | None = None

    def admits(self, now: float) -> bool:
        """May a session be given to it that it did not have before?"""
        if not self.dead:
            return True
        if self.probed_at is None:
            return now >= self.until
        if now < self.probed_at + PROBE_SECONDS:
            return False
        self.revive()
        return True

    def die(self, now: float) -> bool:
        """False when it was dead already: many calls fail at once, and it died only once."""
        again = not self.dead or self.probed_at is not None
        if again:
            self.life = next(_lives)
        self.dead, self.until, self.probed_at = True, now + TAINTED_SECONDS, None
        return again

    def revive(self) -> None:
        self.dead, self.probed_at = False, None


class Membership:
    """The workers of one affinity. Not locked: its owner is. `epoch` grows whenever a session may have to move."""

    def __init__(self, names: Iterable[str], weights: Mapping[str, float] | None, salt: str) -> None:
        self.epoch = 0
        self.workers: dict[str, Worker] = {}
        self._salt = salt
        self.replace(names, weights)

    def replace(self, names: Iterable[str], weights: Mapping[str, float] | None) -> None:
        """Workers that stay keep what is known of them. Raises ConfigurationError, and then nothing has changed."""
        listed = _checked(names)
        weights = _checked_weights(listed, weights or {})
        workers = {name: self.workers.get(name) or Worker(name, 1.0) for name in listed}
        for name, worker in workers.items():
            worker.weight = weights.get(name, 1.0)
        self.workers = workers
        self._contenders = contenders(listed, weights, self._salt)
        self._weighted = len({worker.weight for worker in workers.values()}) > 1
        self.epoch += 1

    def ranking(self, session: str) -> list[Worker]:
        """All of them, dead ones as well, the session's home first."""
        workers = self.workers
        return [workers[name] for name in ranking(session, self._contenders, weighted=self._weighted)]

    def die(self, name: str, now: float) -> None:
        worker = self.workers.get(name)
        if worker is not None:
            self.epoch += worker.die(now)

    def revive(self, name: str) -> None:
        worker = self.workers.get(name)
        if worker is not None:
            worker.revive()

    def life(self, name: str) -> int:
        """0, which is nobody's, for one that is no member."""
        worker = self.workers.get(name)
        return 0 if worker is None else worker.life


def _checked(names: Iterable[str]) -> list[str]:
    listed = [] if isinstance(names, str) else list(names)
    if not listed or not all(_is_name(name) for name in listed):
        raise ConfigurationError(f"workers is {names!r}, not a list of names")
    if len(set(listed)) < len(listed):
        raise ConfigurationError("workers names one of them twice")
    return listed


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name != ""


def _checked_weights(names: list[str], weights: Mapping[str, float]) -> Mapping[str, float]:
    for name, weight in weights.items():
        if name not in names:
            raise ConfigurationError(f"weights names {name!r}, which is no worker")
        if not 0 < weight < math.inf:
            raise ConfigurationError(f"the weight of {name!r} is {weight!r}, not a positive number")
    return weights
