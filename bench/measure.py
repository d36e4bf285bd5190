"""How long does a call take? Processor time of this process, in rounds, so that a busy machine disturbs little."""

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import mmh3

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, and the same work by the reference, taken in the same run."""

    name: str
    microseconds: float
    reference_microseconds: float

    @property
    def ratio(self) -> float:
        return self.microseconds / self.reference_microseconds


def microseconds_per_call(run: Callable[[], int]) -> float:
    """`run` makes some calls and says how many; the fastest of the rounds counts."""
    gc.disable()
    try:
        return min(_once(run) for _ in range(ROUNDS))
    finally:
        gc.enable()


def _once(run: Callable[[], int]) -> float:
    started = time.process_time_ns()
    calls = run()
    return (time.process_time_ns() - started) / calls / 1000


def reference(keys: list[str]) -> float:
    """The least that any sticky split costs: format a string, hash it, compare. Ratios are to this."""

    def run() -> int:
        for key in keys:
            _ = mmh3.hash(f"flag:{key}", 0, signed=False) < 1 << 31
        return len(keys)

    return microseconds_per_call(run)


def print_table(title: str, rows: Iterable[Row]) -> None:
    print(f"\n{title}\n{'':44}{'µs CPU':>12}{'× reference':>14}")
    for row in rows:
        print(f"{row.name:44}{row.microseconds:12.3f}{row.ratio:14.2f}")
