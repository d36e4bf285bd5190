"""What the routing settings of an operation must be like: ranges, and combinations that would do half a thing."""

from collections.abc import Iterator, Mapping

from controlplane.domain.errors import FieldError
from controlplane.domain.flag import Operation
from controlplane.domain.routing import Breaker, BreakerMode, Mode, Retry

Range = tuple[float, float]
SDK_BASE_SECONDS, SDK_CAP_SECONDS = 0.05, 2.0  # what an SDK takes for a pause that was not written
BREAKER_RANGES: Mapping[str, Range] = {
    "failure_rate": (0.01, 1),
    "slow_rate": (0.01, 1),
    "slow_seconds": (0.001, 600),
    "min_calls": (1, 100_000),
    "consecutive": (1, 10_000),
    "window_seconds": (1, 3_600),
    "open_seconds": (0.1, 3_600),
}
RETRY_RANGES: Mapping[str, Range] = {"attempts": (1, 10), "base_seconds": (0.001, 60), "cap_seconds": (0.001, 300)}


def broken_routing(field: str, operation: Operation) -> Iterator[FieldError]:
    """Every broken rule of one operation, by its field below `field`."""
    yield from _ranges(f"{field}.breaker", operation.breaker, BREAKER_RANGES)
    pauses = tuple(_ranges(f"{field}.retry", operation.retry, RETRY_RANGES))
    yield from pauses or _pauses(f"{field}.retry", operation.retry)
    if operation.mode is Mode.DUAL_WRITE:
        yield from _half_dual_writes(field, operation)


def _ranges(field: str, settings: Breaker | Retry, ranges: Mapping[str, Range]) -> Iterator[FieldError]:
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            yield FieldError(f"{field}.{name}", f"must be between {least:g} and {most:g}")


def _pauses(field: str, retry: Retry) -> Iterator[FieldError]:
    base, cap = retry.base_seconds or SDK_BASE_SECONDS, retry.cap_seconds or SDK_CAP_SECONDS
    if base > cap:
        name = "cap_seconds" if retry.cap_seconds is not None else "base_seconds"
        yield FieldError(f"{field}.{name}", f"the first pause is {base:g} s, but no pause may be above {cap:g} s")


def _half_dual_writes(field: str, operation: Operation) -> Iterator[FieldError]:
    if operation.shadow_share is not None:
        message = "is for the modes shadow and aa: with dual_write it would write a part of the keys to both sides"
        yield FieldError(f"{field}.shadow_percent", f"{message}, which is half of a dual write: take it out")
    if operation.breaker.mode is BreakerMode.FORCED_OPEN:
        message = "is forced_open while the mode is dual_write: every write would reach one side only, which is half"
        yield FieldError(f"{field}.breaker.mode", f"{message} of a dual write: set the mode to single first")
