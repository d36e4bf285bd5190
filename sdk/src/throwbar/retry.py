"""Is a failed attempt worth another one on the same backend, and how long to wait for it?"""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import NamedTuple

from throwbar.chance import chance
from throwbar.errors import ConfigurationError
from throwbar.taxonomy import ErrorInfo, Strategy

_repeating: ContextVar[bool] = ContextVar("throwbar_repeating", default=False)


class RetrySettings(NamedTuple):
    """`attempts` counts the first one, too. Times in seconds: the longest pause is `base`, doubled up to `cap`.

    Calls of the baseline are made once, as they were before there was a candidate, unless `baseline` is true.
    """

    attempts: int = 3
    base: float = 0.05
    cap: float = 2.0
    retry_after_cap: float = 30.0
    retry_after_jitter: float = 0.1
    baseline: bool = False


def check(settings: RetrySettings) -> RetrySettings:
    """The same settings. Raises ConfigurationError for those that make no sense."""
    attempts: object = settings.attempts
    if not isinstance(attempts, int) or attempts < 1:
        raise ConfigurationError(f"retry: attempts is {attempts!r}, not a whole number from 1")
    for name in ("base", "cap", "retry_after_cap", "retry_after_jitter"):
        if not 0 <= getattr(settings, name) < float("inf"):
            raise ConfigurationError(f"retry: {name} is {getattr(settings, name)!r}, neither 0 nor a positive number")
    return settings


def next_pause(
    settings: RetrySettings,
    error: ErrorInfo,
    attempt: int,
    remaining: float | None,
    chance: Callable[[], float] = chance,
) -> float | None:
    """Seconds to wait before attempt `attempt + 1`, or None: no more. Attempts count from 1.

    A pause that would not end within the `remaining` seconds is not begun. Whether the operation's kind allows
    another attempt at all is for `delivery.py` to say, whether the backend can bear it for its budget.
    """
    if not error.retryable or attempt >= settings.attempts or _repeating.get():
        return None
    pause = _pause(settings, error, attempt, chance)
    return pause if remaining is None or pause < remaining else None


def longest_pause(settings: RetrySettings, attempt: int) -> float:
    """Pauses after this attempt are uniform from 0 up to this: nothing spreads a crowd better."""
    return float(min(settings.cap, settings.base * 2.0 ** min(attempt - 1, 60)))


class Repeating:
    """A `with` block around every attempt but the first.

    A routed call made inside it, which is one that a repeated attempt makes in its turn, does not retry: attempts
    of nested calls add up instead of multiplying. First attempts pay nothing for this. It ends with the attempt:
    `next_pause`, asked inside, would take this call for a nested one.
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token: Token[bool] = _repeating.set(True)

    def __exit__(self, *_: object) -> None:
        try:  # noqa: SIM105 - suppress() costs more than everything else here
            _repeating.reset(self._token)
        except ValueError:
            pass  # an abandoned coroutine is closed wherever the garbage collector finds it; its context is gone


def _pause(settings: RetrySettings, error: ErrorInfo, attempt: int, chance: Callable[[], float]) -> float:
    asked = error.retry_after
    if asked is not None and asked >= 0:
        return min(asked, settings.retry_after_cap) * (1 + settings.retry_after_jitter * chance())
    if error.strategy is Strategy.IMMEDIATE_RETRY and attempt == 1:
        return 0.0
    return longest_pause(settings, attempt) * chance()
