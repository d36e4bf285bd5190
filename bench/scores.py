"""How do several ways to do one thing compare? By turns in one process, as ratios, and held against a goal."""

import gc
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Run = Callable[[], int]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Score:
    """One row. `ratio` is to ours, "" where there is nothing to compare; `met` None where no goal is set.

    `because` is why a goal was missed, where that is known.
    """

    name: str
    figure: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None
    because: str = ""

    @property
    def verdict(self) -> str:
        missed = f"MISSED: {self.because}" if self.because else "MISSED"
        return {None: "", True: "met", False: missed}[self.met]


def race(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """Microseconds of processor time a call, the best of the rounds; in each round everybody has one turn."""
    best = dict.fromkeys(runs, float("inf"))
    for run in runs.values():
        run()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in runs.items():
                started = time.process_time_ns()
                calls = run()
                best[name] = min(best[name], (time.process_time_ns() - started) / calls / 1000)
    finally:
        gc.enable()
    return best


def present(makers: Mapping[str, Callable[[], Made]]) -> dict[str, Made]:
    """Those whose library is installed; a table has no row for the others, and no goal that needs them."""
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError as error:
            print(f"{name} is not here: {error}", file=sys.stderr)
    return found


def beside(best: Mapping[str, float], ours: str) -> list[Score]:
    """A row for each, with how many times ours it takes."""
    return [
        Score(name, f"{micros:.2f} µs", "1" if name == ours else f"{micros / best[ours]:.1f}")
        for name, micros in best.items()
    ]


def as_text(title: str, scores: Iterable[Score]) -> str:
    lines = [title, f"{'':54}{'':>14}{'× ours':>9}  goal"]
    lines += [f"{s.name:54}{s.figure:>14}{s.ratio:>9}  {s.goal:36}{s.verdict}".rstrip() for s in scores]
    return "\n".join(lines)


def as_markdown(title: str, scores: Iterable[Score]) -> str:
    lines = [f"| {title} | | × ours | goal | |", "|---|---:|---:|---|---|"]
    lines += [f"| {s.name} | {s.figure} | {s.ratio} | {s.goal} | {s.verdict} |" for s in scores]
    return "\n".join(lines)
