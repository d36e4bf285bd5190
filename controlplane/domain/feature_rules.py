"""What a feature must be like to be accepted: its values, its targeting, and what only a candidate makes sense of."""

import json
from collections.abc import Iterator

from controlplane.domain.errors import FieldError
from controlplane.domain.feature import Feature, type_of
from controlplane.domain.flag import Flag
from controlplane.domain.json_size import below, depth, unsafe_number
from controlplane.domain.names import KEY, KEY_RULE
from controlplane.domain.outcomes import broken_outcomes
from controlplane.domain.targeting import Spot, broken_logic

MOST_VARIANTS = 50
LARGEST_VALUE = 16_384  # characters of JSON
LARGEST_TARGETING = 65_536
DEEPEST_VALUE, DEEPEST_TARGETING = 10, 28  # levels
_MOVED = ("operations", "rules", "guardrails", "plan", "constraints")


def broken_feature(flag: Flag, feature: Feature) -> Iterator[FieldError]:
    """Every rule of features that the flag breaks."""
    yield from _variants(feature)
    yield from _sides(flag, feature)
    if feature.targeting is not None:
        yield from _targeting(feature)


def _variants(feature: Feature) -> Iterator[FieldError]:
    if not 1 <= len(feature.variants) <= MOST_VARIANTS:
        yield FieldError("variants", f"are {len(feature.variants)}: a feature has between 1 and {MOST_VARIANTS}")
    for name, value in feature.variants.items():
        field = f"variants.{name}"
        if not KEY.fullmatch(name):
            yield FieldError(field, KEY_RULE)
        if type_of(value) is None:
            yield FieldError(field, "must be true or false, text, a number or an object")
        elif type_of(value) is not feature.value_type:
            yield FieldError(
                field, f"is a {type_of(value)} and the first one a {feature.value_type}: all are of one type"
            )
        else:
            yield from _value(field, value)


def _value(field: str, value: object) -> Iterator[FieldError]:
    if depth(value) > DEEPEST_VALUE:
        yield FieldError(field, f"is nested deeper than {DEEPEST_VALUE} levels")
        return
    if len(json.dumps(value, ensure_ascii=False)) > LARGEST_VALUE:
        yield FieldError(field, f"has more than {LARGEST_VALUE} characters of JSON: keep what is large elsewhere")
    yield from _numbers(field, value)


def _numbers(field: str, value: object) -> Iterator[FieldError]:
    if why := unsafe_number(value):
        yield FieldError(field, why)
    for name, each in below(value):
        yield from _numbers(f"{field}.{name}", each)


def _sides(flag: Flag, feature: Feature) -> Iterator[FieldError]:
    """The baseline is the default variant: what everybody gets whom nothing sends elsewhere."""
    if flag.baseline not in feature.variants:
        yield FieldError("default_variant", f"'{flag.baseline}' is not a variant of this feature")
    if flag.candidate:
        if flag.candidate not in feature.variants:
            yield FieldError("candidate", f"'{flag.candidate}' is not a variant of this feature")
        return
    for field in _MOVED:
        if getattr(flag, field):
            needs = "needs" if field == "plan" else "need"
            yield FieldError(
                field,
                f"{needs} a candidate: name the variant to move to as candidate, and the one it replaces as baseline",
            )


def _targeting(feature: Feature) -> Iterator[FieldError]:
    if depth(feature.targeting) > DEEPEST_TARGETING:
        yield FieldError("targeting", f"is nested deeper than {DEEPEST_TARGETING} levels")
        return
    if len(json.dumps(feature.targeting, ensure_ascii=False)) > LARGEST_TARGETING:
        yield FieldError("targeting", f"has more than {LARGEST_TARGETING} characters of JSON")
        return
    broken = tuple(broken_logic(Spot("targeting"), feature.targeting))
    yield from broken or broken_outcomes(Spot("targeting"), feature.targeting, tuple(feature.variants))
