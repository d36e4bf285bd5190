"""Which settings hold for an operation? The control plane's word, else the code's, else the default. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from throwbar.circuit import BreakerSettings, Mode
from throwbar.circuit import check as check_breaker
from throwbar.errors import ConfigurationError
from throwbar.retry import RetrySettings
from throwbar.retry import check as check_retry

NO_LIMIT = 2.0  # a rate that is never reached

_BREAKER = {
    "failure_rate": "failure_rate",
    "slow_rate": "slow_rate",
    "slow_seconds": "slow_seconds",
    "min_calls": "min_calls",
    "consecutive": "hard_failures",
    "window_seconds": "window_seconds",
    "open_seconds": "open_seconds",
}
_RETRY = {"attempts": "attempts", "base_seconds": "base", "cap_seconds": "cap"}
_MODES = {
    "auto": Mode.AUTOMATIC,
    "metrics_only": Mode.METRICS_ONLY,
    "forced_open": Mode.FORCED_OPEN,
    "forced_closed": Mode.FORCED_CLOSED,
}


class Switches(NamedTuple):
    """Which features a flag allows."""

    affinity: bool = True
    breaker: bool = True
    retry: bool = True
    fallback: bool = True
    shadow: bool = True


ALL_ON = Switches()


def switches_of(written: Mapping[str, Any] | None) -> Switches:
    """Only `false` switches off; a switch of a newer server is none of ours."""
    if not written:
        return ALL_ON
    return Switches(*(written.get(name) is not False for name in Switches._fields))


def breaker_settings(code: BreakerSettings, written: Mapping[str, Any]) -> BreakerSettings:
    """Raises ConfigurationError for what a breaker could not work under, TypeError for what is no number."""
    return check_breaker(code._replace(**_named(written, _BREAKER))) if written else code


def breaker_mode(written: Mapping[str, Any]) -> Mode | None:
    """None when nothing, or nothing that this SDK knows, is written."""
    return _MODES.get(written.get("mode", ""))


def retry_settings(code: RetrySettings, written: Mapping[str, Any]) -> RetrySettings:
    """Raises ConfigurationError or TypeError as above."""
    return check_retry(code._replace(**_named(written, _RETRY))) if written else code


def without_slow_rule(settings: BreakerSettings, deadline: float | None) -> BreakerSettings:
    """What is slow is not known of an operation that has no deadline and names no limit."""
    if deadline is None and settings.slow_seconds is None:
        return settings._replace(slow_rate=NO_LIMIT)
    return settings


def _named(written: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    values = {ours: written[theirs] for theirs, ours in names.items() if written.get(theirs) is not None}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(f"{name} is {value!r}, not a number")
    return values
