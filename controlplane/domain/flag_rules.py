"""What a flag must be like to be accepted. All broken rules are told at once, each with its field."""

import re
from collections.abc import Iterator

from controlplane.domain import constraints
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag import Flag
from controlplane.domain.guardrails import Guardrails, Overrides
from controlplane.domain.plan_rules import broken_plan
from controlplane.domain.routing_rules import broken_routing
from controlplane.domain.share import FULL, to_percent

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
KEY_RULE = "starts with a letter or digit and has at most 100 of: letters, digits, . _ : -"
QUANTILES = ("p50", "p90", "p95", "p99", "p999")
MOST_OPERATIONS = 200


def check(flag: Flag) -> None:
    """Raises InvalidInput when the flag breaks any rule."""
    errors = tuple(_broken(flag))
    if errors:
        raise InvalidInput(errors)


def _broken(flag: Flag) -> Iterator[FieldError]:
    yield from _names(flag)
    yield from _constraints(flag)
    yield from broken_plan(flag)
    if flag.guardrails:
        yield from _guardrails("guardrails", flag.guardrails)
    for name, operation in flag.operations.items():
        yield from broken_routing(f"operations.{name}", operation)
        if operation.guardrails:
            yield from _overrides(f"operations.{name}.guardrails", flag.guardrails, operation.guardrails)


def _overrides(field: str, limits: Guardrails | None, overrides: Overrides) -> Iterator[FieldError]:
    """Only what the operation itself says: the flag's own mistakes are told once."""
    if limits is None:
        yield FieldError(field, "need guardrails of the flag to lay them over")
        return
    for error in _guardrails(field, limits.overridden(overrides)):
        if error.field.removeprefix(f"{field}.").partition(".")[0] in overrides:
            yield error


def _names(flag: Flag) -> Iterator[FieldError]:
    if not KEY.fullmatch(flag.key):
        yield FieldError("key", KEY_RULE)
    for field, value in (("baseline", flag.baseline), ("candidate", flag.candidate)):
        if not KEY.fullmatch(value):
            yield FieldError(field, KEY_RULE)
    if flag.baseline == flag.candidate:
        yield FieldError("candidate", f"is '{flag.candidate}' like the baseline: name the backend you move to")
    for name in flag.operations:
        if not KEY.fullmatch(name):
            yield FieldError(f"operations.{name}", KEY_RULE)
    if len(flag.operations) > MOST_OPERATIONS:
        yield FieldError("operations", f"are {len(flag.operations)}, at most {MOST_OPERATIONS} fit into one flag")


def _constraints(flag: Flag) -> Iterator[FieldError]:
    for number, each in enumerate(flag.constraints):
        for field, name in (("operation", each.operation), ("not_above", each.not_above)):
            if name not in flag.operations:
                yield FieldError(f"constraints.{number}.{field}", f"'{name}' is not an operation of this flag")
    if constraints.goes_in_a_circle(flag.constraints):
        yield FieldError("constraints", "go round in a circle: an operation cannot follow itself")
        return
    shares = {name: operation.share for name, operation in flag.operations.items()}
    for number, each in constraints.broken(shares, flag.constraints):
        above, limit = (to_percent(shares.get(name, 0)) for name in (each.operation, each.not_above))
        message = (
            f"'{each.operation}' at {above} % would be above '{each.not_above}' at {limit} %: "
            f"raise '{each.not_above}' first, or lower '{each.operation}'"
        )
        yield FieldError(f"constraints.{number}", message)


def _guardrails(field: str, limits: Guardrails) -> Iterator[FieldError]:
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
    if limits.compare:
        yield from _compare(f"{field}.compare", limits)


def _compare(field: str, limits: Guardrails) -> Iterator[FieldError]:
    compare = limits.compare
    if compare is None:
        return
    if not 1 <= compare.error_rate_ratio <= 100:
        yield FieldError(f"{field}.error_rate_ratio", "must be between 1 (no worse) and 100")
    if not 0 <= compare.error_rate_margin < 1:
        yield FieldError(f"{field}.error_rate_margin", "must be at least 0 and below 1 (0.0005 means 0.05 points)")
    if not 1 <= compare.latency_ratio <= 100:
        yield FieldError(f"{field}.latency_ratio", "must be between 1 (no slower) and 100")
    if not 1e-9 <= compare.alpha <= 0.2:
        yield FieldError(f"{field}.alpha", "must be between 0.000000001 and 0.2 (0.01 means 1 false rollback in 100)")


def ends_blind(flag: Flag) -> bool:
    """A plan that ends at 100 % has nothing to compare with there: allowed, and warned about."""
    return bool(flag.plan and flag.plan.stages and flag.plan.stages[-1].share >= FULL)
