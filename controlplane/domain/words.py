"""Numbers as people read them, for sentences. English, no locale: an audit entry reads the same everywhere."""

import math

from controlplane.domain import evidence

_THIN = "\u202f"  # narrow no-break space


def count(number: int) -> str:
    """12345 → "12 345"."""
    return f"{number:,}".replace(",", _THIN)


def percent(rate: float) -> str:
    """0.0123 → "1.23 %"; small rates keep two significant digits."""
    value = rate * 100
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 or not value else 1 - _exponent(value)
    return f"{_plain(value, digits)}{_THIN}%"


def seconds(value: float) -> str:
    """Seconds in the unit a person would choose: "45 ms", "1.2 s", "3 min", "2 h", "5 days"."""
    for limit, size, unit in ((0.9995, 0.001, "ms"), (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if value < limit:
            return f"{_three(value / size)}{_THIN}{unit}"
    return f"{_three(value / 86_400)}{_THIN}days"


def _three(value: float) -> str:
    """Three significant digits, never as 1e+03."""
    return _plain(value, max(0, 2 - _exponent(value)) if value else 0)


def _exponent(value: float) -> int:
    return math.floor(math.log10(value))


def _plain(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def one_in(log_evidence: float) -> str:
    """ln E → the N of "1 in N"."""
    number = evidence.one_in(log_evidence)
    return f"{number:.2g}" if number < 10 else count(int(f"{number:.0f}"))
