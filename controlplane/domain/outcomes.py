"""What can targeting come to? Only names of variants, or null; everything else fails in front of a user."""

from collections.abc import Iterator, Mapping, Sequence

from controlplane.domain.errors import FieldError
from controlplane.domain.targeting import ITERATORS, Spot, arguments, shares_of

Outcome = tuple[Spot, object]
_TRUTHS = frozenset(
    {"==", "===", "!=", "!==", "<", "<=", ">", ">=", "!", "!!", "in", "all", "some", "none"}
    | {"starts_with", "ends_with", "sem_ver"}
)
_OPEN = frozenset({"var", "cat", "substr", "reduce"})  # whatever a caller's attributes make of them


def broken_outcomes(spot: Spot, logic: object, variants: Sequence[str]) -> Iterator[FieldError]:
    """Every outcome of sound logic that is no variant, by its path."""
    if isinstance(logic, Mapping):
        ((name, value),) = logic.items()
        yield from _of_rule(spot.below(name), name, arguments(value), variants)
    elif isinstance(logic, bool):
        if (wanted := str(logic).lower()) not in variants:
            yield FieldError(
                spot.path, f"is {wanted}, and there is no variant '{wanted}': name one of {_told(variants)}"
            )
    elif isinstance(logic, str):
        if logic not in variants:
            yield FieldError(spot.path, f"'{logic}' is not a variant: name one of {_told(variants)}")
    elif logic is not None:
        yield FieldError(spot.path, f"is no variant: name one of {_told(variants)}, or null for what everybody gets")


def _of_rule(spot: Spot, name: str, given: list[object], variants: Sequence[str]) -> Iterator[FieldError]:
    if name in _TRUTHS:
        yield from _truth(spot, name, variants)
    elif name in {"if", "and", "or", "fractional"}:
        for where, each in _branches(spot, name, given):
            yield from broken_outcomes(where, each, variants)
    elif name in _OPEN:
        if name == "var" and len(given) == 2:
            yield from broken_outcomes(spot.below(1), given[1], variants)
    else:
        what = "a list" if name in ITERATORS | {"merge", "missing", "missing_some"} else "a number"
        yield FieldError(spot.path, f"comes to {what}, which is no variant: compare it inside an if")


def _truth(spot: Spot, name: str, variants: Sequence[str]) -> Iterator[FieldError]:
    if not {"true", "false"} <= set(variants):
        told = f'comes to true or false, and there are no variants of these names: wrap it, {{"if": [{{"{name}": …}}, '
        yield FieldError(spot.path, told + f'"{variants[0] if variants else "on"}", null]}}')


def _branches(spot: Spot, name: str, given: list[object]) -> Iterator[Outcome]:
    """The parts of a rule that it may come to. `and` ends at the first that is false, `or` at the first that is not."""
    if name == "fractional":
        yield from (
            (spot.below(number).below(0), each[0]) for number, each in shares_of(given) if isinstance(each, list)
        )
        return
    for number, each in enumerate(given):
        if name != "if" or number % 2 or number == len(given) - 1:
            skipped = name == "and" and number < len(given) - 1 and not _is_truth(each)
            if not skipped:
                yield spot.below(number), each


def _is_truth(logic: object) -> bool:
    return isinstance(logic, bool) or (isinstance(logic, Mapping) and next(iter(logic)) in _TRUTHS)


def _told(variants: Sequence[str]) -> str:
    few = ", ".join(f"'{each}'" for each in variants[:8])
    return few if len(variants) <= 8 else f"{few} …"
