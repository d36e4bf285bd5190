"""Targeting: what evaluators would stumble over is refused by its path, with what to do."""

import pytest

from controlplane.domain.feature import Feature
from controlplane.domain.feature_rules import LARGEST_TARGETING, broken_feature
from controlplane.domain.flag import Flag

PRO = {"==": [{"var": "tier"}, "pro"]}


def told(targeting, variants=("on", "off")):
    feature = Feature(dict.fromkeys(variants, True), targeting)
    return {each.field: each.message for each in broken_feature(Flag("f", variants[-1], "", feature), feature)}


@pytest.mark.parametrize(
    "targeting",
    [
        {"if": [PRO, "on", None]},
        {"if": [PRO, "on"]},
        {"if": [PRO, "on", {"<": [18, {"var": ["age", 0]}, 65]}, "off", "on"]},
        {"fractional": [["on", 10], ["off", 90]]},
        {"fractional": [{"var": "email"}, ["on"], ["off", {"if": [PRO, 1, 3]}]]},
        {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, ["on", 1], ["off", 1]]},
        {"or": [{"if": [PRO, "on", None]}, "off"]},
        {"if": [{"sem_ver": [{"var": "version"}, ">=", "1.2.0"]}, "on", "off"]},
        {"if": [{"in": ["beta", {"var": "tags"}]}, "on", "off"]},
        {"if": [{"some": [{"var": "tags"}, {"==": [{"var": ""}, "beta"]}]}, "on", "off"]},
        {"if": [{"!": {"var": "tier"}}, "off", "on"]},
        {"var": ["variant", "off"]},
        {
            "if": [
                {">": [{"reduce": [{"var": "n"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}, 3]},
                "on",
                "off",
            ]
        },
    ],
)
def test_what_every_evaluator_understands_is_accepted(targeting):
    assert told(targeting) == {}


def test_truths_pick_variants_of_their_names():
    assert told(PRO, ("true", "false")) == {}


@pytest.mark.parametrize(
    ("targeting", "field", "sentence"),
    [
        ({"if": [PRO, "onn", None]}, "targeting.if.1", "'onn' is not a variant: name one of 'on', 'off'"),
        ({"if": [PRO, "on", 3]}, "targeting.if.2", "is no variant"),
        ({"if": [PRO, True, "off"]}, "targeting.if.1", "no variant 'true'"),
        (PRO, "targeting.==", "wrap it"),
        ({"and": [PRO, "on"]}, "targeting.and.0.==", "wrap it"),
        ({"+": [1, 2]}, "targeting.+", "comes to a number"),
        ({"map": [{"var": "tags"}, "on"]}, "targeting.map", "comes to a list"),
        ({"fractional": [["onn", 1], ["off", 1]]}, "targeting.fractional.0.0", "not a variant"),
        ({"fractional": [["on", 0.5], ["off", 1]]}, "targeting.fractional.0.1", "whole number"),
        ({"fractional": [["on", -1], ["off", 1]]}, "targeting.fractional.0.1", "0 or more"),
        ({"fractional": [["on", 0], ["off", 0]]}, "targeting.fractional", "sum"),
        ({"fractional": [["on", 2**31], ["off", 1]]}, "targeting.fractional", "sum"),
        ({"fractional": ["on", "off"]}, "targeting.fractional.1", "a variant and its weight"),
        ({"if": [PRO]}, "targeting.if", "takes at least 2 arguments and has 1"),
        ({"if": [{"==": [1]}, "on"]}, "targeting.if.0.==", "takes 2 arguments and has 1"),
        ({"if": [{"!": [1, 2]}, "on"]}, "targeting.if.0.!", "takes 1 argument and has 2"),
        ({"if": [PRO, "on"], "or": ["off"]}, "targeting", "one operator and has 2"),
        ({"if": [{}, "on"]}, "targeting.if.0", "one operator and has 0"),
        ({"equals": [1, 2]}, "targeting.equals", "is not an operator"),
        ({"log": ["on"]}, "targeting.log", "take it out"),
        ({"$ref": "isPro"}, "targeting.$ref", "write the rule out"),
        ({"if": [{"var": "$flagd.secret"}, "on"]}, "targeting.if.0.var", "$flagd.flagKey and $flagd.timestamp"),
        ({"if": [{"var": {"cat": "a"}}, "on"]}, "targeting.if.0.var", "must name an attribute"),
        ({"if": [{"sem_ver": ["1.0.0", "=>", "1.0.0"]}, "on"]}, "targeting.if.0.sem_ver.1", "must be one of"),
        ({"if": [{"==": [2**60, 1]}, "on"]}, "targeting.if.0.==.0", "write it as text"),
        ({"if": [{"==": [1e400, 1]}, "on"]}, "targeting.if.0.==.0", "larger than any number"),
    ],
)
def test_a_mistake_is_told_by_its_path(targeting, field, sentence):
    errors = told(targeting)

    assert set(errors) == {field}
    assert sentence in errors[field]


def test_a_list_of_a_caller_cannot_make_it_endless():
    inner = {"some": [{"var": "tags"}, {"some": [{"var": ""}, {"==": [{"var": ""}, 1]}]}]}
    doubling = {"reduce": [{"var": "tags"}, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "a"]}

    assert told({"if": [inner, "on"]}) == {
        "targeting.if.0.some.1.some": "stands inside some: only one list may be gone through at a time"
    }
    assert "without end" in told({"if": [{"==": [doubling, "a"]}, "on"]})["targeting.if.0.==.0.reduce.1.cat"]


def test_depth_and_size_have_limits():
    deep = "on"
    for _ in range(20):
        deep = {"if": [PRO, deep, None]}
    wide = {"if": [{"in": [{"var": "tier"}, ["x" * 100] * (LARGEST_TARGETING // 100)]}, "on"]}

    assert "nested deeper" in told(deep)["targeting"]
    assert "characters" in told(wide)["targeting"]
