"""Does flagd's own evaluator come to what a feature says, and is there always an answer?"""

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.flag import parse_flag
from controlplane.domain.decision import decide
from controlplane.domain.flag import Flag, Operation, Side
from controlplane.domain.flag_set import FlagSet, compile_flag_set
from controlplane.domain.flagd import flagd_flag
from controlplane.domain.snapshot import Clockwork, compile_snapshot
from controlplane.evaluator import Context, Evaluation, Evaluator, fault_of
from tests.builders import NOW, a_feature_document, a_moved_feature_document
from tests.strategies import TEXTS, features

CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "tier": st.none() | st.booleans() | st.integers(-3, 120) | st.sampled_from(["pro", "free", "1.2.3"]),
        "age": st.integers(-3, 120) | st.floats(0, 99),
        "version": st.sampled_from(["1.2.3", "0.9.0", "2.0.0-rc.1", "none"]),
        "tags": st.lists(st.sampled_from("abc"), max_size=3),
    },
)
KEYS = st.none() | st.just("") | TEXTS | st.integers().map(str)
MOMENTS = st.fixed_dictionaries(
    {
        "enabled": st.sampled_from([True, True, True, False]),
        "rolled_back": st.sampled_from([False, False, False, True]),
        "archived_at": st.sampled_from([None, None, None, NOW]),
    }
)


def evaluated(flag: Flag, key: str | None, attributes) -> Evaluation:
    found = Evaluator(compile_flag_set("production", "s", 7, [flag], fault_of)).evaluate(
        flag.key, Context(key, attributes)
    )
    assert isinstance(found, Evaluation), found
    assert found.value == flag.feature.variants[found.variant]
    return found


def targeted(flag: Flag, key: str | None, attributes) -> str | None:
    """What its targeting alone comes to, by flagd's evaluator on nothing that we made."""
    written = {
        "state": "ENABLED",
        "variants": {name: name for name in flag.feature.variants},
        "defaultVariant": flag.baseline,
        "targeting": flag.feature.targeting or {},
    }
    found = Evaluator(FlagSet("production", "s", 7, {"flags": {flag.key: written}}, {})).evaluate(
        flag.key, Context(key, attributes)
    )
    return found.variant if found.reason == "TARGETING_MATCH" else None


@given(features(moved=False), MOMENTS, KEYS, CONTEXTS)
def test_who_is_targeted_gets_what_the_targeting_says(flag, moment, key, attributes) -> None:
    flag = replace(flag, **moment)

    found = evaluated(flag, key, attributes)

    in_force = flag.enabled and not flag.rolled_back
    assert found.variant == ((in_force and targeted(flag, key, attributes)) or flag.baseline)


@given(features(moved=True), MOMENTS, KEYS, CONTEXTS, st.data())
def test_targeting_comes_before_the_share_and_after_every_brake(flag, moment, key, attributes, data) -> None:
    operations = {
        name: replace(each, rolled_back=data.draw(st.sampled_from([False, False, True])))
        for name, each in flag.operations.items()
    }
    flag = replace(flag, **moment, operations=operations, rules=())
    operation = data.draw(st.sampled_from([*operations, "unheard of"]))
    attributes = {**attributes, "operation": operation}

    found = evaluated(flag, key, attributes)

    side = decide(flag, operation, key, attributes).side
    decided = flag.candidate if side is Side.CANDIDATE else flag.baseline
    listed = flag.operation(operation)
    braked = not flag.enabled or flag.rolled_back or flag.archived_at or listed is None or listed.rolled_back
    assert found.variant == decided if braked else (targeted(flag, key, attributes) or decided)


@given(features(moved=True), st.integers(0, 100_000), st.lists(TEXTS, min_size=20, max_size=20))
def test_a_feature_of_one_operation_is_asked_for_without_its_name(flag, share, keys) -> None:
    feature = replace(flag.feature, targeting=None)
    flag = replace(flag, feature=feature, rules=(), enabled=True, operations={"default": Operation(share)})

    for key in keys:
        side = decide(flag, "default", key, {}).side
        assert evaluated(flag, key, {}).variant == (flag.candidate if side is Side.CANDIDATE else flag.baseline)


def test_values_keep_their_type_and_metadata_tells_the_kind():
    flag = parse_flag(a_feature_document(variants={"on": 1.5, "off": 1}, targeting=None))

    found = evaluated(flag, None, {})

    assert (found.value, type(found.value), found.metadata["kind"]) == (1.0, float, "feature")


def test_the_golden_feature_is_published_as_the_page_of_the_protocol_says():
    golden = json.loads((Path(__file__).parents[1] / "contract" / "features.json").read_text())
    feature = parse_flag(golden["written"])

    assert flagd_flag(feature) == golden["published"]
    assert compile_snapshot("production", "s", 1, [feature], Clockwork())["flags"] == {
        "new-checkout": golden["in_the_snapshot"]
    }


def test_what_is_published_of_a_feature_is_its_variants_and_its_targeting():
    written = a_feature_document()

    assert flagd_flag(parse_flag(written)) == {
        "state": "ENABLED",
        "variants": written["variants"],
        "defaultVariant": "off",
        "metadata": {"kind": "feature"},
        "targeting": written["targeting"],
    }


def test_a_moved_feature_asks_its_targeting_once_for_null_and_once_for_the_variant():
    written = a_moved_feature_document(
        operations={"default": {"percent": 100}}, targeting={"if": [{"var": "beta"}, "on"]}
    )
    own = written["targeting"]

    assert flagd_flag(parse_flag(written))["targeting"] == {
        "if": [
            {"in": [{"var": ["operation", "default"]}, ["default"]]},
            {"if": [{"!==": [own, None]}, own, "on"]},
        ]
    }
