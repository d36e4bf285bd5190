"""What JsonLogic must be like to be targeting: operators that every flagd evaluator knows, of a bounded cost.

Source: flagd's targeting.json. An evaluator meets a mistake in front of a user, so it is refused before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from controlplane.domain.errors import FieldError
from controlplane.domain.json_size import unsafe_number

Count = tuple[int, int | None]
_ONE, _TWO, _ANY, _SOME = (1, 1), (2, 2), (0, None), (1, None)
OPERATORS: Mapping[str, Count] = {
    **dict.fromkeys(("==", "===", "!=", "!==", "%", "in", "starts_with", "ends_with", "missing_some"), _TWO),
    **dict.fromkeys(("map", "filter", "all", "some", "none"), _TWO),
    **dict.fromkeys(("<", "<=", ">", ">=", "reduce", "substr"), (2, 3)),
    **dict.fromkeys(("!", "!!"), _ONE),
    **dict.fromkeys(("and", "or", "+", "*", "min", "max", "cat", "merge", "fractional"), _SOME),
    "missing": _ANY,
    "-": (1, 2),
    "var": (1, 2),
    "if": (2, None),
    "sem_ver": (3, 3),
}
ITERATORS = frozenset({"map", "filter", "all", "some", "none", "reduce"})
_GROW = frozenset({"*", "cat", "merge"})
_RANGES = ("=", "!=", "<", "<=", ">", ">=", "~", "^")
_INJECTED = ("$flagd.flagKey", "$flagd.timestamp")
MOST_WEIGHT = 2**31 - 1
_UNKNOWN = {
    "$ref": "refers to shared evaluators, which are not kept here: write the rule out",
    "log": "prints where it is evaluated: take it out",
    "/": "is no operator of flagd: multiply instead",
    "?:": "is an old name of if: write if",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the targeting, and inside which operators that go through a list."""

    path: str
    inside: str = ""

    def below(self, name: str | int) -> "Spot":
        return replace(self, path=f"{self.path}.{name}")


def arguments(value: object) -> list[object]:
    """JsonLogic takes one argument with or without a list around it."""
    return list(value) if isinstance(value, list | tuple) else [value]


def broken_logic(spot: Spot, logic: object) -> Iterator[FieldError]:
    """Every rule that an expression breaks, by its path."""
    if isinstance(logic, Mapping):
        yield from _rule(spot, logic)
    elif isinstance(logic, list | tuple):
        for number, each in enumerate(logic):
            yield from broken_logic(spot.below(number), each)
    elif why := unsafe_number(logic):
        yield FieldError(spot.path, why)


def _rule(spot: Spot, logic: Mapping[str, object]) -> Iterator[FieldError]:
    if len(logic) != 1:
        names = ", ".join(logic) or "none"
        yield FieldError(spot.path, f"must have one operator and has {len(logic)} ({names}): join them with and or or")
        return
    ((name, value),) = logic.items()
    if name not in OPERATORS:
        known = "is not an operator: they are those of JsonLogic, and fractional, sem_ver, starts_with, ends_with"
        yield FieldError(spot.below(name).path, _UNKNOWN.get(name, known))
        return
    given, here = arguments(value), spot.below(name)
    if why := _miscounted(name, len(given)):
        yield FieldError(here.path, why)
        return
    yield from _costs(here, name)
    yield from _special(here, name, given)
    yield from _within(here, name, given)


def _miscounted(name: str, given: int) -> str | None:
    least, most = OPERATORS[name]
    if least <= given and (most is None or given <= most):
        return None
    wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} or {most}"
    return f"takes {wanted} argument{'' if wanted == '1' else 's'} and has {given}"


def _costs(spot: Spot, name: str) -> Iterator[FieldError]:
    """What a list of a caller could make endless: loops in loops, and results that double in each round."""
    if spot.inside and name in ITERATORS:
        yield FieldError(spot.path, f"stands inside {spot.inside}: only one list may be gone through at a time")
    if spot.inside == "reduce" and name in _GROW:
        yield FieldError(spot.path, "stands inside reduce, where its result could grow without end: take it out")


def _within(spot: Spot, name: str, given: list[object]) -> Iterator[FieldError]:
    for number, each in enumerate(given):
        inside = name if name in ITERATORS and number == 1 else spot.inside
        yield from broken_logic(replace(spot.below(number), inside=inside), each)


def _special(spot: Spot, name: str, given: list[object]) -> Iterator[FieldError]:
    if name == "var":
        yield from _attribute(spot, given[0])
    elif name == "sem_ver" and given[1] not in _RANGES:
        yield FieldError(spot.below(1).path, f"must be one of {' '.join(_RANGES)}")
    elif name == "fractional":
        yield from _fractions(spot, given)


def _attribute(spot: Spot, name: object) -> Iterator[FieldError]:
    if isinstance(name, bool) or not isinstance(name, str | int):
        yield FieldError(spot.path, "must name an attribute, like targetingKey or tenant.plan")
    elif isinstance(name, str) and name.startswith("$flagd.") and name not in _INJECTED:
        yield FieldError(spot.path, f"is not known: there are {' and '.join(_INJECTED)}")


def _fractions(spot: Spot, given: list[object]) -> Iterator[FieldError]:
    shares = tuple(shares_of(given))
    wrong = [error for number, each in shares for error in _fraction(spot.below(number), each)]
    if wrong or not shares:
        yield from wrong or [FieldError(spot.path, 'needs variants and their weights, like ["on", 5]')]
    elif not 0 < sum(map(_weight, (each for _, each in shares))) <= MOST_WEIGHT:
        yield FieldError(spot.path, f"needs weights whose sum is between 1 and {MOST_WEIGHT}")


def _fraction(spot: Spot, each: object) -> Iterator[FieldError]:
    if not isinstance(each, list | tuple) or not 1 <= len(each) <= 2:
        yield FieldError(spot.path, 'must be a variant and its weight, like ["on", 5]')
    elif len(each) == 2 and not (isinstance(each[1], Mapping) or _is_weight(each[1])):
        yield FieldError(spot.below(1).path, "must be a whole number, 0 or more")


def _is_weight(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _weight(fraction: object) -> int:
    """1 where none is written, or where it is only known when somebody asks."""
    weight = fraction[1] if isinstance(fraction, list | tuple) and len(fraction) == 2 else 1
    return weight if isinstance(weight, int) else 1


def shares_of(given: list[object]) -> Iterator[tuple[int, object]]:
    """The shares of a `fractional` with their numbers, without what the keys are drawn by."""
    first = 0 if isinstance(given[0], list | tuple) else 1
    return ((number, each) for number, each in enumerate(given) if number >= first)
