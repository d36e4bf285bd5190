"""Plan: ordered stages, each a share and how long it must stay healthy."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Stage:
    """One share, its bake, and whether a person must approve leaving it."""

    share: int
    bake: timedelta
    approval: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`operations` empty means all operations of the flag."""

    stages: tuple[Stage, ...]
    operations: tuple[str, ...] = ()
