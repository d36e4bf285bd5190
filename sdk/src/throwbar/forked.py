"""Who has to begin anew in a forked child? Whatever holds a lock, or a connection that is the parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewed(Protocol):
    """Something that lives on in a child, but not as it was."""

    def renew(self) -> None:
        """Called in the child, before anything else runs there."""


_living: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renew_after_fork(thing: Renewed) -> None:
    """From now on, for as long as it lives."""
    _living.add(thing)


def _after_fork_in_child() -> None:
    for thing in list(_living):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
