"""Does a key stay on its side while one share is in force? Asked of whole buckets, never in a call.

One share draws a key to one side, always the same. Rules look at attributes, which may differ from call to call, and
pins live in a store that may lose them: keys are remembered where those have a say, and nowhere else. Brakes,
breakers, rescues and rehearsals move keys for reasons of their own and are passed over. So is a key that comes home: a
pin kept it where it was before the share rose, and ended. What a process sees is what its own calls did.
"""

from __future__ import annotations

from collections.abc import Iterable

from throwbar.harvest import UNTIMED, Identity, Sum

KEYS_PER_WATCH = 20_000  # of an operation; who comes later is not watched
WATCHES = 2_000
_WATCHED = frozenset({"share", "rule", "pin"})
_Where = tuple[str, bool]  # the side that served a key last, and whether a pin kept it there


class _Watch:
    """The keys of an operation under one share of one attempt, and one set of rules."""

    __slots__ = ("attempt", "mixed", "rules", "share", "strayed", "where")

    def __init__(self, total: Sum) -> None:
        self.attempt = total.identity.attempt
        self.share = total.identity.share
        self.rules = total.rules
        self.mixed = bool(total.rules)
        self.where: dict[int, _Where] = {}
        self.strayed: set[int] = set()

    def covers(self, total: Sum) -> bool:
        identity = total.identity
        return (identity.attempt, identity.share) == (self.attempt, self.share) and total.rules is self.rules

    def strays(self, total: Sum) -> int:
        side, pinned = total.identity.side, total.identity.assigned_by == "pin"
        before = len(self.strayed)
        for key, index in total.keys.items():
            if index != UNTIMED:
                self._look(hash(key), side, pinned=pinned, drawn=total.identity.assigned_by == "share")
        return len(self.strayed) - before

    def _look(self, hashed: int, side: str, *, pinned: bool, drawn: bool) -> None:
        known = self.where.get(hashed)
        if known is None and len(self.where) >= KEYS_PER_WATCH:
            return
        if known is not None and known[0] != side and not (known[1] and drawn):
            self.strayed.add(hashed)
        self.where[hashed] = (side, pinned)


def _in_order(total: Sum) -> tuple[int, int, int, bool]:
    """In a bucket first the smaller share, from which it rose, and of one share first what a pin kept.

    Where the pin ended meanwhile, the key came home, and did not go astray.
    """
    identity = total.identity
    return identity.start, identity.attempt, identity.share, identity.assigned_by == "share"


class Stayed:
    """The watches of one process. For one thread."""

    def __init__(self) -> None:
        self._watches: dict[tuple[str, str], _Watch] = {}

    def strayed(self, sums: Iterable[Sum]) -> dict[Identity, int]:
        """How many keys of each cell the other side had served before: once a key and share, where it turned up."""
        watched = [total for total in sums if total.identity.assigned_by in _WATCHED]
        watched.sort(key=_in_order)
        return {total.identity: self._strays(total) for total in watched}

    def _strays(self, total: Sum) -> int:
        place = (total.identity.flag, total.identity.operation)
        watch = self._watches.pop(place, None)
        if watch is None or not watch.covers(total):
            watch = _Watch(total)
        self._watches[place] = watch  # last again: a dict keeps the order of insertion
        if len(self._watches) > WATCHES:
            del self._watches[next(iter(self._watches))]
        if total.rules is None:
            return 0  # they changed within the bucket
        watch.mixed = watch.mixed or total.identity.assigned_by != "share"
        return watch.strays(total) if watch.mixed else 0
