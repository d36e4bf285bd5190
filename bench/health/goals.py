"""Is a goal met? And how is a table told: Markdown, so that what is printed can be kept."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise, what was seen of it, and whether it holds; `why` explains a miss."""

    name: str
    promise: str
    figure: str
    met: bool
    why: str = ""

    def __str__(self) -> str:
        verdict = "**met**" if self.met else f"**missed**; {self.why}" if self.why else "**missed**"
        return f"- **{self.name}** {self.promise}: {self.figure}: {verdict}"


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def __str__(self) -> str:
        lines = [f"### {self.title}"]
        if self.rows:
            lines += ["", _line(self.columns), _line(["---"] * len(self.columns)), *map(_line, self.rows)]
        for part in ([str(goal) for goal in self.goals], list(self.notes)):
            lines += ["", *part] if part else []
        return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def chance_of_as_many(hits: int, runs: int, rate: float) -> float:
    """P(at least `hits`) if the true rate were `rate`."""
    fewer = (math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(hits))
    return max(0.0, 1 - sum(fewer))


def holds(hits: int, runs: int, alpha: float) -> bool:
    """Not above α: one-sided binomial test at 1 %."""
    return chance_of_as_many(hits, runs, alpha) >= 0.01


def rate(hits: int, runs: int) -> str:
    share = 100 * hits / runs
    return f"{share:.0f} %" if share >= 10 or not hits else f"{share:.2g} %"


def median(delays: Sequence[float | None]) -> float:
    """Of all runs: one that never ended counts as endless."""
    return statistics.median_low(_endless(delays))


def delays_shown(delays: Sequence[float | None]) -> str:
    """Median / p95, and how many were found where not all."""
    every = sorted(_endless(delays))
    found = sum(each < NEVER for each in every)
    high = every[math.ceil(0.95 * len(every)) - 1]
    shown = f"{_number(median(delays))} / {_number(high)}"
    if not found:
        return "never"
    return shown if found == len(every) else f"{shown} ({100 * found / len(every):.0f} %)"


def _endless(delays: Sequence[float | None]) -> list[float]:
    return [NEVER if delay is None else delay for delay in delays]


def _number(value: float) -> str:
    return "–" if value == NEVER else f"{value:g}"
