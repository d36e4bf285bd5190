import json

import pytest
from hypothesis import given

from controlplane.documents.flag import flag_document, parse_flag
from controlplane.domain.errors import InvalidInput
from controlplane.domain.flag_rules import check
from tests import strategies
from tests.builders import a_feature_document, a_flag_document, a_moved_feature_document


def refused(document):
    with pytest.raises(InvalidInput) as refusal:
        check(parse_flag(document))
    return {error.field: error.message for error in refusal.value.errors}


@given(strategies.features())
def test_a_feature_survives_being_written_and_read(flag):
    document = json.loads(json.dumps(flag_document(flag)))

    assert parse_flag(document) == flag
    assert flag_document(parse_flag(document)) == document


@given(strategies.features())
def test_whatever_the_strategy_makes_is_accepted(flag):
    check(flag)


def test_a_feature_is_answered_as_it_was_written():
    written = a_feature_document()

    assert {name: flag_document(parse_flag(written))[name] for name in written} == written


def test_a_feature_that_is_not_moved_has_no_sides():
    document = flag_document(parse_flag(a_feature_document()))

    assert "baseline" not in document
    assert "candidate" not in document
    assert document["operations"] == {}


def test_a_moved_feature_without_operations_has_one():
    assert flag_document(parse_flag(a_moved_feature_document()))["operations"] == {
        "default": {"percent": 0, "mode": "single"}
    }


def test_the_default_variant_and_the_baseline_are_one():
    without = a_moved_feature_document()
    del without["default_variant"]

    assert parse_flag(without) == parse_flag(a_moved_feature_document())


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"variants": {}}, "variants", "between 1 and 50"),
        ({"variants": dict.fromkeys(map(str, range(51)), True), "default_variant": "1"}, "variants", "are 51"),
        ({"variants": {"on": True, "off": "no"}}, "variants.off", "is a string and the first one a boolean"),
        ({"variants": {"on": [1], "off": [2]}}, "variants.on", "text, a number or an object"),
        ({"variants": {"on": None, "off": None}}, "variants.off", "text, a number or an object"),
        ({"variants": {"on": 2**60, "off": 1}}, "variants.on", "write it as text"),
        ({"variants": {"on": {"a": [1e400]}, "off": {}}}, "variants.on.a.0", "larger than any number"),
        ({"variants": {"on": "x" * 20_000, "off": ""}}, "variants.on", "keep what is large elsewhere"),
        (
            {"variants": {"on": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}}, "off": {}}},
            "variants.on",
            "deeper",
        ),
        ({"variants": {"on": True, "off": False, "of f": False}}, "variants.of f", "letters, digits"),
        ({"default_variant": "of"}, "default_variant", "'of' is not a variant"),
        ({"default_variant": None}, "default_variant", "is missing"),
        ({"candidate": "onn"}, "candidate", "'onn' is not a variant"),
        ({"candidate": "off"}, "candidate", "like the baseline: name the variant"),
        ({"baseline": "off"}, "candidate", "is missing"),
        ({"baseline": "on", "candidate": "off"}, "default_variant", "one and the same"),
        ({"operations": {"a": {"percent": 5}}}, "operations", "need a candidate"),
        (
            {"rules": [{"attribute": "a", "operator": "in", "values": ["b"], "serve": "candidate"}]},
            "rules",
            "need a candidate",
        ),
        ({"guardrails": {"max_error_rate": 0.1}}, "guardrails", "need a candidate"),
        ({"plan": {"stages": [{"percent": 1, "bake_seconds": 60}]}}, "plan", "needs a candidate"),
        ({"kind": "toggle"}, "kind", "must be migration or feature"),
        ({"colour": "red"}, "colour", "not a known field"),
        ({"targeting": "on"}, "targeting", "must be an object"),
    ],
)
def test_what_cannot_be_a_feature_is_refused_by_its_field(changes, field, sentence):
    document = a_feature_document(targeting=None, **{k: v for k, v in changes.items() if k != "targeting"})
    document |= {name: value for name, value in changes.items() if name == "targeting"}

    assert sentence in refused(document)[field]


@pytest.mark.parametrize("name", ["variants", "default_variant", "targeting"])
def test_a_migration_has_nothing_of_a_feature(name):
    assert '"kind": "feature"' in refused(a_flag_document(**{name: None}))[name]
