"""What a flag must be like to be accepted. All broken rules are told at once, each with its field."""

from collections.abc import Iterator

from controlplane.domain import constraints
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.feature_rules import broken_feature
from controlplane.domain.flag import Flag
from controlplane.domain.guardrail_rules import broken_guardrails, broken_overrides
from controlplane.domain.names import KEY, KEY_RULE
from controlplane.domain.plan_rules import broken_plan
from controlplane.domain.routing_rules import broken_routing
from controlplane.domain.share import FULL, to_percent

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
        yield from broken_guardrails("guardrails", flag.guardrails)
    for name, operation in flag.operations.items():
        yield from broken_routing(f"operations.{name}", operation)
        if operation.guardrails:
            yield from broken_overrides(f"operations.{name}.guardrails", flag.guardrails, operation.guardrails)


def _names(flag: Flag) -> Iterator[FieldError]:
    if not KEY.fullmatch(flag.key):
        yield FieldError("key", KEY_RULE)
    yield from broken_feature(flag, flag.feature) if flag.feature else _backends(flag)
    if flag.baseline == flag.candidate:
        noun = "variant" if flag.feature else "backend"
        yield FieldError("candidate", f"is '{flag.candidate}' like the baseline: name the {noun} you move to")
    for name in flag.operations:
        if not KEY.fullmatch(name):
            yield FieldError(f"operations.{name}", KEY_RULE)
    if len(flag.operations) > MOST_OPERATIONS:
        yield FieldError("operations", f"are {len(flag.operations)}, at most {MOST_OPERATIONS} fit into one flag")


def _backends(flag: Flag) -> Iterator[FieldError]:
    for field, value in (("baseline", flag.baseline), ("candidate", flag.candidate)):
        if not KEY.fullmatch(value):
            yield FieldError(field, KEY_RULE)


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


def ends_blind(flag: Flag) -> bool:
    """A plan that ends at 100 % has nothing to compare with there: allowed, and warned about, unless data have to."""
    return bool(flag.plan and flag.plan.stages and not flag.plan.moves_data and flag.plan.stages[-1].share >= FULL)
