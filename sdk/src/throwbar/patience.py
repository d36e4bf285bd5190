"""How long does the backend ask us to wait before we try again?"""

from __future__ import annotations

from collections.abc import Callable

from throwbar.taxonomy import ErrorInfo

_PUSHBACK = "grpc-retry-pushback-ms"
_METADATA_READ = 64  # pairs


def seconds_of(value: object) -> float | None:
    """Seconds as a number or a timedelta; None for everything else, for the past and for ever."""
    total = getattr(value, "total_seconds", None)
    if callable(total):
        value = total()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e9 else None


def asked_by_http(info: ErrorInfo, headers: object, read: Callable[[object, str], object]) -> ErrorInfo:
    """Retry-After: seconds, or a date, which is compared with the response's own Date and so needs no clock of ours."""
    get = read(headers, "get") if info.retryable else None
    if not callable(get):
        return info
    asked, now = _header(get, "Retry-After"), _header(get, "Date")
    if asked is None:
        return info
    seconds = seconds_of(int(asked)) if asked.isascii() and asked.isdigit() else _between(now, asked)
    return info if seconds is None else info._replace(retry_after=seconds)


def asked_by_grpc(info: ErrorInfo, error: object) -> ErrorInfo:
    """The retry push-back of gRPC, in milliseconds; a negative one says that no retry is wanted."""
    asked = _pushback(error) if info.retryable else None
    if asked is None:
        return info
    if asked < 0:
        return info._replace(retryable=False)
    return info._replace(retry_after=seconds_of(asked / 1000))


def _header(get: Callable[[str], object], name: str) -> str | None:
    try:
        value = get(name) or get(name.lower())
    except Exception:  # noqa: BLE001 - somebody else's mapping
        return None
    return value.strip()[:64] if isinstance(value, str) else None


def _between(now: str | None, then: str) -> float | None:
    if now is None:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - large, and dates are rare

    try:
        seconds = (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, seconds)


def _pushback(error: object) -> int | None:
    try:
        pairs = error.trailing_metadata() or ()  # type: ignore[attr-defined]  # read by shape
        for _, (key, value) in zip(range(_METADATA_READ), pairs, strict=False):
            if key == _PUSHBACK:
                return int(value)
    except Exception:  # noqa: BLE001 - somebody else's object
        return None
    return None
