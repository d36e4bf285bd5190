"""What do the charts say, for those who do not see them? Over which range do they reach, and which latencies?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

RANGES = {
    "15m": ("15 min", 900),
    "1h": ("1 hour", 3600),
    "6h": ("6 hours", 21_600),
    "24h": ("24 hours", 86_400),
    "7d": ("7 days", 604_800),
    "30d": ("30 days", 2_592_000),
}
QUANTILES = ("p50", "p90", "p95", "p99", "p999")
USUAL = ("p50", "p99")


def chosen_range() -> tuple[str, int]:
    """The range that the address names, else the shortest; its length in seconds."""
    name = request.args.get("range", "")
    name = name if name in RANGES else "15m"
    return name, RANGES[name][1]


def chosen_quantiles() -> tuple[str, ...]:
    """Those that the address names, "p50,p99", else the usual ones."""
    asked = request.args.get("quantiles", "").split(",")
    return tuple(name for name in QUANTILES if name in asked) or USUAL


def toggled(chosen: Sequence[str], name: str) -> str:
    """For an address: the chosen quantiles with this one, or without it."""
    return ",".join(each for each in QUANTILES if (each in chosen) != (each == name))


@dataclass(frozen=True, slots=True)
class Row:
    """One backend over the whole range; latencies, by quantile, are those of its newest step with calls."""

    backend: str
    side: str
    calls: int
    error_rate: float | None
    latencies: Mapping[str, float | None]


def summaries(
    answer: Mapping[str, Any], totals: Mapping[str, Any], quantiles: Sequence[str] = USUAL
) -> dict[str, list[Row]]:
    """Operation → a row for each backend."""
    return {
        name: [_row(answer[side], side, each[side], quantiles) for side in ("baseline", "candidate")]
        for name, each in totals.items()
    }


def _row(backend: str, side: str, total: Mapping[str, Any], quantiles: Sequence[str]) -> Row:
    latencies = {name: total[f"{name}_ms"] for name in quantiles}
    return Row(backend, side, total["calls"], total["error_rate"], latencies)
