"""What guardrails must be like to be accepted: a limit that could never be crossed is a mistake, not a limit."""

from collections.abc import Iterator

from controlplane.domain.errors import FieldError
from controlplane.domain.guardrails import Compare, Guardrails, Overrides

QUANTILES = ("p50", "p90", "p95", "p99", "p999")
_TESTS_NOTHING = "test nothing: set max_error_rate, max_latency_ms or compare, or leave them out"


def broken_guardrails(field: str, limits: Guardrails) -> Iterator[FieldError]:
    """Every rule that these guardrails break; `field` is where they stand."""
    if not limits.tests_something:
        yield FieldError(field, _TESTS_NOTHING)
    yield from _absolute(field, limits)
    if limits.compare:
        yield from _compare(f"{field}.compare", limits.compare)


def _absolute(field: str, limits: Guardrails) -> Iterator[FieldError]:
    if not 10 <= limits.window_seconds <= 86_400:
        yield FieldError(f"{field}.window_seconds", "must be between 10 and 86400 seconds")
    if not 0 <= limits.min_samples <= 1_000_000_000:
        yield FieldError(f"{field}.min_samples", "must be between 0 and 1000000000")
    if limits.max_error_rate is not None and not 0 < limits.max_error_rate < 1:
        yield FieldError(f"{field}.max_error_rate", "must be above 0 and below 1 (0.05 means 5 %)")
    for name, limit in limits.max_latency_ms.items():
        if name not in QUANTILES:
            yield FieldError(f"{field}.max_latency_ms.{name}", f"must be one of {', '.join(QUANTILES)}")
        elif not 0 < limit <= 600_000:
            yield FieldError(f"{field}.max_latency_ms.{name}", "must be above 0 and at most 600000 milliseconds")
    if limits.design_effect is not None and not 1 <= limits.design_effect <= 1000:
        yield FieldError(f"{field}.design_effect", 'must be "auto" or between 1 (each call is drawn anew) and 1000')


def _compare(field: str, compare: Compare) -> Iterator[FieldError]:
    if not 1 <= compare.error_rate_ratio <= 100:
        yield FieldError(f"{field}.error_rate_ratio", "must be between 1 (no worse) and 100")
    if not 0 <= compare.error_rate_margin < 1:
        yield FieldError(f"{field}.error_rate_margin", "must be at least 0 and below 1 (0.0005 means 0.05 points)")
    if not 1 <= compare.latency_ratio <= 100:
        yield FieldError(f"{field}.latency_ratio", "must be between 1 (no slower) and 100")
    if not 1e-9 <= compare.alpha <= 0.2:
        yield FieldError(f"{field}.alpha", "must be between 0.000000001 and 0.2 (0.01 means 1 false rollback in 100)")
    if not 1e-9 <= compare.beta <= 0.2:
        yield FieldError(f"{field}.beta", "must be between 0.000000001 and 0.2 (0.05 means 1 false proof in 20)")
    if compare.sample_ratio_alpha is not None and not 1e-9 <= compare.sample_ratio_alpha <= 0.2:
        yield FieldError(f"{field}.sample_ratio_alpha", "must be between 0.000000001 and 0.2, or null to doubt nothing")


def broken_overrides(field: str, limits: Guardrails | None, overrides: Overrides) -> Iterator[FieldError]:
    """Only what the operation itself says: the flag's own mistakes are told once."""
    if limits is None:
        yield FieldError(field, "need guardrails of the flag to lay them over")
        return
    for error in broken_guardrails(field, limits.overridden(overrides)):
        if error.field.removeprefix(f"{field}.").partition(".")[0] in overrides:
            yield error
    if limits.tests_something and not limits.overridden(overrides).tests_something:
        yield FieldError(field, _TESTS_NOTHING)
