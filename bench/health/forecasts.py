"""Is the time that a plan is promised the time that it takes? G13: the domain's forecast beside simulated medians."""

from collections.abc import Iterator
from functools import partial

from bench.health import whole
from bench.health.delays import median
from bench.health.goals import Goal, Table
from bench.health.latencies import BASELINE
from bench.health.rollouts import delay
from bench.health.scale import Scale
from bench.health.spread import runs, seeds
from bench.health.traffic import CHECK_SECONDS, Cell
from controlplane.domain.evidence import DESIGN_EFFECT
from controlplane.domain.forecast import Traffic, forecast
from controlplane.domain.share import FULL

CASES = (
    (Cell(10, 0.1), 0.01, 5.0),
    (Cell(100, 0.01), 0.01, 3.0),
    (Cell(100, 0.1), 0.01, 2.0),
    (Cell(100, 0.1), 0.01, 3.0),
    (Cell(100, 0.5), 0.005, 2.0),
    (Cell(1000, 0.01), 0.001, 5.0),
)


def tables(scale: Scale) -> Iterator[Table]:
    rows, errors = [], []
    for effect in (1.0, DESIGN_EFFECT):
        for case in CASES:
            row, error = _compared(effect, case, scale)
            rows.append(row)
            errors.append(error)
    figure = f"{100 * min(errors):+.0f} … {100 * max(errors):+.0f} %"
    met = max(map(abs, errors)) <= 0.25
    goal = Goal("G13", "the forecast is within ±25 % of the simulated median, default tolerance", figure, met)
    columns = ["traffic, fault", "D", "forecast, checks", "simulated median", "difference"]
    yield Table("Forecast of the detection time, the whole decision", columns, rows, [goal])


def _compared(effect: float, case: tuple[Cell, float, float], scale: Scale) -> tuple[list[str], float]:
    cell, rate, times = case
    traffic = Traffic(cell.per_second, rate)
    seen = forecast(traffic, round(cell.share * FULL), whole.DEFAULT.compare, times=times, design_effect=effect)
    job = partial(delay, (rate, rate * times), BASELINE, effect, scale.checks, cell=cell)
    simulated = median(runs(job, scale.delay_runs // 2, seeds("forecast", cell, rate, times)))
    checks = seen.median_seconds / CHECK_SECONDS
    error = checks / simulated - 1
    name = f"{cell}, {rate * 100:g} → {rate * times * 100:g} %"
    return [name, f"{effect:g}", f"{checks:.0f}", f"{simulated:g}", f"{100 * error:+.0f} %"], error
