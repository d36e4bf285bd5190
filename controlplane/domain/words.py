"""Numbers as people read them, for sentences. English, no locale: an audit entry reads the same everywhere."""

from controlplane.domain import evidence

_THIN = "\u202f"  # narrow no-break space


def count(number: int) -> str:
    """12345 → "12 345"."""
    return f"{number:,}".replace(",", _THIN)


def percent(rate: float) -> str:
    """0.0123 → "1.23 %"; small rates keep two significant digits."""
    value = rate * 100
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{_THIN}%"


def seconds(value: float) -> str:
    """Seconds in the unit a person would choose: "45 ms", "1.2 s", "3 min", "2 h", "5 days"."""
    if value < 1:
        return f"{value * 1000:.3g}{_THIN}ms"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if value < limit:
            return f"{value / size:.3g}{_THIN}{unit}"
    return f"{value / 86_400:.3g}{_THIN}days"


def one_in(log_evidence: float) -> str:
    """ln E → the N of "1 in N"."""
    number = evidence.one_in(log_evidence)
    return f"{number:.2g}" if number < 10 else count(int(f"{number:.0f}"))
