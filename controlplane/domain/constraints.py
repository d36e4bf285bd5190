"""Constraints: the order between operations, such as "reads may not exceed writes".

Whoever reads from the candidate what was written to the baseline finds nothing, so some operations must follow others.
A change that would break the order is refused; a brake is never refused, so it takes the followers along.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constraint:
    """`operation` never has a larger share than `not_above`."""

    operation: str
    not_above: str


def broken(shares: Mapping[str, int], constraints: Sequence[Constraint]) -> Iterator[tuple[int, Constraint]]:
    """The constraints, with their numbers, that these shares break."""
    for number, each in enumerate(constraints):
        if shares.get(each.operation, 0) > shares.get(each.not_above, 0):
            yield number, each


def lowered(shares: Mapping[str, int], constraints: Sequence[Constraint]) -> dict[str, int]:
    """The largest shares, none above the given ones, that break no constraint."""
    found = dict(shares)
    while any(True for _ in broken(found, constraints)):
        for _, each in broken(found, constraints):
            found[each.operation] = found.get(each.not_above, 0)
    return found


def goes_in_a_circle(constraints: Sequence[Constraint]) -> bool:
    """Whether some operation would have to follow itself."""
    leaders: dict[str, set[str]] = {}
    for each in constraints:
        leaders.setdefault(each.operation, set()).add(each.not_above)
    return any(name in _led_by(name, leaders) for name in leaders)


def _led_by(name: str, leaders: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    new = set(leaders.get(name, ()))
    while new:
        found |= new
        new = {leader for each in new for leader in leaders.get(each, ())} - found
    return found
