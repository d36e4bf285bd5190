"""How are instants, spans and shares worded for a reader? Pure; everything is UTC."""

from datetime import UTC, datetime, timedelta

THIN = "\u202f"  # narrow no-break space
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def instant(value: datetime | str | None) -> datetime | None:
    """An instant of an answer (ISO 8601 text) or of a domain object as aware UTC."""
    if value is None or value == "":
        return None
    parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
    return parsed.astimezone(UTC)


def moment(at: datetime, now: datetime) -> str:
    """The shortest wording that is still exact: "12:04:31" just now, "12:04" today, "Tuesday 12:04", "3 Nov 12:04"."""
    at = at.astimezone(UTC)
    clock = f"{at:%H:%M:%S}" if abs(at - now) < timedelta(minutes=10) else f"{at:%H:%M}"
    if at.date() == now.date():
        return clock
    if abs(at - now) < timedelta(days=6):
        return f"{at:%A} {clock}"
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {clock}"


def exactly(at: datetime) -> str:
    """For a tooltip: nothing left out."""
    return f"{at:%A} {at.day} {at:%B %Y}, {at:%H:%M:%S} UTC"


def ago(at: datetime, now: datetime) -> str:
    """As people say it: "3 min ago", "in 2 h", "just now"."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 3:
        return "just now"
    worded = _short(abs(seconds))
    return f"{worded} ago" if seconds > 0 else f"in {worded}"


def _short(seconds: float) -> str:
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds / size)}{THIN}{unit}"
    days = int(seconds / 86_400)
    return f"{days} day" if days == 1 else f"{days} days"


def span(seconds: float) -> str:
    """A bake as people say it: "7 days", "1 hour 30 minutes", "45 seconds"."""
    if seconds == 0:
        return "no bake"
    parts, rest = [], round(seconds, 3)
    for size, unit in _UNITS:
        number = rest // size if unit != "second" else rest
        if number:
            parts.append(f"{number:g} {unit}{'' if number == 1 else 's'}")
        rest -= number * size
    return " ".join(parts[:2])


def percent(value: float) -> str:
    """A share: 5 → "5 %", 0.125 → "0.125 %"."""
    return f"{value:.6g}{THIN}%"


def rate(value: float | None) -> str:
    """A fraction: 0.0123 → "1.23 %"; nothing measured → "–"."""
    if value is None:
        return "–"
    digits = 0 if value >= 0.1 or value == 0 else 2
    return f"{value * 100:.{digits}f}{THIN}%"


def milliseconds(value: float | None) -> str:
    """Latency: "0.4 ms", "87 ms", "1.2 s"."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.3g}{THIN}s"
    return f"{value:.2g}{THIN}ms" if value < 10 else f"{value:.0f}{THIN}ms"


def count(number: float) -> str:
    """12345 → "12 345"."""
    return f"{number:,.0f}".replace(",", THIN)
