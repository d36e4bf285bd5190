"""Series: what both sides of an operation lived through over time, cut into steps for a chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controlplane.domain import histogram
from controlplane.domain.arm import Arm
from controlplane.domain.flag import Side
from controlplane.domain.intervals import Interval
from controlplane.domain.retention import Grain
from controlplane.domain.snapshot import Clockwork
from controlplane.store.cells import Cells

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
MOST_POINTS = 360
QUANTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}

Uncertainty = Callable[[int, int], Interval]  # bad calls of calls → where their rate lies


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time cut into steps; `first` and `until` are seconds since the epoch, multiples of `step`."""

    first: int
    until: int
    step: int

    @property
    def starts(self) -> list[int]:
        return list(range(self.first, self.until, self.step))

    def begin_of(self, start: int) -> int:
        """The step that a cell belongs to."""
        return start - start % self.step


def span_between(since: datetime, until: datetime, clockwork: Clockwork, grain: Grain = Grain.RAW) -> Span:
    """Steps of whole buckets, and of whole cells of a grain: at most 360, and one more to begin within."""
    cell = grain.seconds * -(-clockwork.bucket_seconds // grain.seconds)
    length = max(cell, (until - since).total_seconds())
    step = cell * max(1, -(-int(length) // (cell * MOST_POINTS)))
    last = -(-int(until.timestamp()) // step) * step
    first = int(until.timestamp() - length)
    return Span(first - first % step, last, step)


def series_of(cells: Cells, span: Span, uncertainty: Uncertainty) -> dict[str, Any]:
    """Both sides in every step of a span; null where there is nothing to say."""
    return {
        "starts": span.starts,
        "baseline": _side(cells, Side.BASELINE, span, uncertainty),
        "candidate": _side(cells, Side.CANDIDATE, span, uncertainty),
    }


def _side(cells: Cells, side: Side, span: Span, uncertainty: Uncertainty) -> dict[str, list[Any]]:
    by_step: dict[int, list[Arm]] = {}
    for place, arm in cells:
        if place.side is side:
            by_step.setdefault(span.begin_of(place.start), []).append(arm)
    arms = [_drawn(by_step.get(start, [])) for start in span.starts]
    quantiles = [_quantiles(arm) for arm in arms]
    ranges = [uncertainty(arm.bad, arm.judged) if arm.judged else None for arm in arms]
    return {
        "calls": [arm.calls for arm in arms],
        "errors": [arm.bad for arm in arms],
        "error_rate": [arm.error_rate for arm in arms],
        "error_rate_low": [each.low if each else None for each in ranges],
        "error_rate_high": [each.high if each else None for each in ranges],
        **{name: [each[at] for each in quantiles] for at, name in enumerate(QUANTILES)},
    }


def _drawn(arms: Sequence[Arm]) -> Arm:
    """The sum of what a chart draws, and of nothing else: the histograms of the keys are most of the work."""
    return Arm(
        calls=sum(arm.calls for arm in arms),
        bad=sum(arm.bad for arm in arms),
        cancelled=sum(arm.cancelled for arm in arms),
        latency=histogram.merge(arm.latency for arm in arms),
    )


def _quantiles(arm: Arm) -> list[float | None]:
    found = histogram.quantiles_ms(arm.latency, list(QUANTILES.values()))
    return [None if each is None else round(each, 3) for each in found]
