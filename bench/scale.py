"""How long may a benchmark take? The short form is for tests: everything runs, and its figures say nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Flags of a snapshot; calls and rounds of a measurement; calls of which none may be lost; how long a hang is."""

    flags: int = 2_000
    calls: int = 20_000
    rounds: int = 7
    observations: int = 10_000_000
    hang_seconds: float = 0.3


FULL = Scale()
SHORT = Scale(flags=20, calls=200, rounds=1, observations=8_000, hang_seconds=0.01)
