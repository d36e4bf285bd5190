import pytest

from controlplane.domain.flag import Operation
from controlplane.domain.routing import Breaker, BreakerMode, Mode, Retry
from controlplane.domain.routing_rules import BREAKER_RANGES, RETRY_RANGES, broken_routing


def broken(operation):
    return {error.field: error.message for error in broken_routing("operations.echo", operation)}


@pytest.mark.parametrize("name", BREAKER_RANGES)
def test_a_breaker_is_held_to_its_ranges(name):
    least, most = BREAKER_RANGES[name]

    for inside in (least, most):
        assert broken(Operation(breaker=Breaker(**{name: inside}))) == {}
    for outside in (0, -1, least / 2, most * 2):
        told = broken(Operation(breaker=Breaker(**{name: outside})))
        assert told == {f"operations.echo.breaker.{name}": f"must be between {least:g} and {most:g}"}


@pytest.mark.parametrize("name", RETRY_RANGES)
def test_a_retry_is_held_to_its_ranges(name):
    least, most = RETRY_RANGES[name]
    rest = {"base_seconds": {"cap_seconds": 300}, "cap_seconds": {"base_seconds": 0.001}}.get(name, {})

    for inside in (least, most):
        assert broken(Operation(retry=Retry(**{name: inside, **rest}))) == {}
    for outside in (-1, most * 2):
        told = broken(Operation(retry=Retry(**{name: outside, **rest})))
        assert told[f"operations.echo.retry.{name}"] == f"must be between {least:g} and {most:g}"


@pytest.mark.parametrize(
    ("retry", "field"),
    [
        (Retry(base_seconds=5, cap_seconds=1), "cap_seconds"),
        (Retry(cap_seconds=0.01), "cap_seconds"),  # the SDK's first pause is longer
        (Retry(base_seconds=3), "base_seconds"),  # and its cap shorter
    ],
)
def test_a_first_pause_above_the_longest_is_refused_even_where_one_of_the_two_was_not_written(retry, field):
    assert broken(Operation(retry=retry)).keys() == {f"operations.echo.retry.{field}"}


def test_half_of_a_dual_write_is_refused_by_its_name():
    sampled = broken(Operation(mode=Mode.DUAL_WRITE, shadow_share=5_000))
    stopped = broken(Operation(mode=Mode.DUAL_WRITE, breaker=Breaker(BreakerMode.FORCED_OPEN)))

    assert sampled.keys() == {"operations.echo.shadow_percent"}
    assert stopped.keys() == {"operations.echo.breaker.mode"}
    assert all("half of a dual write" in told for told in (*sampled.values(), *stopped.values()))


@pytest.mark.parametrize("mode", [each for each in Mode if each is not Mode.DUAL_WRITE])
def test_every_other_mode_takes_any_share_and_any_breaker(mode):
    for breaker in BreakerMode:
        assert broken(Operation(mode=mode, shadow_share=5_000, breaker=Breaker(breaker))) == {}
