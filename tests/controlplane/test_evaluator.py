"""Does flagd's own evaluator come to what we decide, on what we publish? And what is refused before it is published?"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.domain.decision import decide
from controlplane.domain.flag import Flag, Operation, Operator, Rule, Side
from controlplane.domain.flag_set import FlagSet, compile_flag_set
from controlplane.domain.share import FULL
from controlplane.evaluator import Context, ErrorCode, Evaluation, Evaluator, Failure, fault_of
from tests.builders import NOW
from tests.strategies import TEXTS, flags

VECTORS = json.loads((Path(__file__).parents[1] / "contract" / "bucketing.json").read_text())["vectors"]
OURS = {"operation", "targetingKey", "$flagd"}  # what a context holds besides attributes
NAMES = TEXTS.map(lambda name: name.replace(".", "_") or "tenant").filter(lambda name: name not in OURS)
VALUES = TEXTS | st.booleans() | st.integers()
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=3)
RULES = st.builds(
    Rule,
    NAMES | st.just("key"),
    st.sampled_from(Operator),
    st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
    st.sampled_from(Side),
)
BRIDGE = Flag("bridge", "pool", "snakepit", enabled=True, operations={"echo": Operation(50_000)})
SOUND = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


def evaluator(*flags: Flag) -> Evaluator:
    return Evaluator(compile_flag_set("production", "s", 7, flags, fault_of))


def evaluating(**definitions) -> Evaluator:
    document = {"flags": {name: {**SOUND, **each} for name, each in definitions.items()}}
    return Evaluator(FlagSet("production", "s", 7, document, {}))


def variant(flag: Flag, operation: str, key: str | None, attributes=None) -> str:
    outcome = evaluator(flag).evaluate(flag.key, Context(key, {**(attributes or {}), "operation": operation}))
    assert isinstance(outcome, Evaluation), outcome
    assert outcome.value == outcome.variant
    return outcome.variant


@given(flags(), st.lists(RULES, max_size=3), st.data())
def test_flagd_and_we_send_every_key_to_the_same_backend(flag: Flag, rules: list[Rule], data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from([*flag.operations, "unheard of"]))
    flag = replace(
        flag,
        enabled=data.draw(st.sampled_from([True, True, True, False])),
        rolled_back=data.draw(st.sampled_from([False, False, False, True])),
        archived_at=data.draw(st.sampled_from([None, None, None, NOW])),
        rules=tuple(rules),
        operations={
            name: replace(each, rolled_back=data.draw(st.sampled_from([False, False, True])))
            for name, each in flag.operations.items()
        },
    )
    key = data.draw(st.none() | st.just("") | st.integers().map(str) | TEXTS)
    attributes = data.draw(ATTRIBUTES)
    attributes |= {each.attribute: each.values[0] for each in rules if data.draw(st.booleans())}

    side = decide(flag, operation, key, attributes).side

    assert variant(flag, operation, key, attributes) == (flag.candidate if side is Side.CANDIDATE else flag.baseline)


@given(st.integers(1, FULL - 1), st.lists(TEXTS, min_size=50, max_size=50))
@example(1, [""])
@example(FULL - 1, ["", "0", "null", "42"])
def test_a_share_draws_the_same_keys(share: int, keys: list[str]) -> None:
    flag = replace(BRIDGE, operations={"echo": Operation(share)})
    asked = evaluator(flag)

    for key in keys:
        theirs = asked.evaluate("bridge", Context(key, {"operation": "echo"}))
        assert theirs.variant == ("snakepit" if decide(flag, "echo", key, {}).side is Side.CANDIDATE else "pool")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['flag_key']}/{each['key']}"[:40])
def test_the_published_hashes_are_drawn_on_their_side_of_a_share(vector) -> None:
    drawn = (vector["hash"] * FULL) >> 32
    flag = replace(BRIDGE, key=vector["flag_key"])

    def served(share: int) -> str:
        return variant(replace(flag, operations={"echo": Operation(share)}), "echo", vector["key"])

    assert served(drawn) == "pool"
    assert served(drawn + 1) == "snakepit"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: f"{each['flag_key']}/{each['key']}"[:40])
def test_flagd_draws_the_published_variant_in_the_listed_order(vector) -> None:
    names = [name for name, _ in vector["weights"]]
    split = {
        "variants": {name: name for name in names},
        "defaultVariant": names[-1],
        "targeting": {"fractional": vector["weights"]},
    }

    outcome = evaluating(**{vector["flag_key"]: split}).evaluate(vector["flag_key"], Context(vector["key"]))

    assert outcome.variant == vector["variant"]


@pytest.mark.parametrize(
    ("operator", "values", "value", "matches"),
    [
        (Operator.IN, ("5",), 5, True),
        (Operator.IN, ("null", ""), None, False),
        (Operator.IN, ("",), "", True),
        (Operator.NOT_IN, ("acme",), "zoo", True),
        (Operator.NOT_IN, ("acme",), "acme", False),
        (Operator.NOT_IN, ("acme",), None, False),
        (Operator.STARTS_WITH, ("zo", "ac"), "acme", True),
        (Operator.STARTS_WITH, ("1",), 12, True),
        (Operator.ENDS_WITH, ("me",), "acme", True),
        (Operator.ENDS_WITH, ("ac",), "acme", False),
        (Operator.CONTAINS, ("x", "cm"), "acme", True),
        (Operator.CONTAINS, ("",), "", True),
        (Operator.CONTAINS, ("x",), "acme", False),
    ],
)
def test_a_rule_compares_texts_and_nothing_matches_what_is_absent(operator, values, value, matches) -> None:
    rule = Rule("tenant", operator, values, Side.CANDIDATE)
    flag = replace(BRIDGE, operations={"echo": Operation(0)}, rules=(rule,))

    assert variant(flag, "echo", "k", {"tenant": value}) == ("snakepit" if matches else "pool")


def test_a_name_with_dots_is_a_path() -> None:
    rule = Rule("tenant.plan", Operator.IN, ("gold",), Side.CANDIDATE)
    flag = replace(BRIDGE, operations={"echo": Operation(0)}, rules=(rule,))

    assert variant(flag, "echo", "k", {"tenant": {"plan": "gold"}}) == "snakepit"
    assert variant(flag, "echo", "k", {"tenant.plan": "gold"}) == "pool"


@pytest.mark.parametrize("operation", [None, 5, ["echo"], {"echo": 1}, True, ""])
def test_an_operation_that_is_no_text_is_not_listed(operation) -> None:
    flag = replace(BRIDGE, operations={"echo": Operation(FULL), "read": Operation(FULL)})

    outcome = evaluator(flag).evaluate("bridge", Context("k", {"operation": operation}))

    assert (outcome.variant, outcome.reason) == ("pool", "DEFAULT")


def test_where_a_flag_has_one_operation_it_need_not_be_named() -> None:
    asked = evaluator(replace(BRIDGE, operations={"echo": Operation(FULL)}))

    assert asked.evaluate("bridge", Context("k")).variant == "snakepit"
    assert asked.evaluate("bridge", Context("k", {"operation": "unheard of"})).variant == "pool"


def test_reasons_are_flagds() -> None:
    asked = evaluator(BRIDGE, replace(BRIDGE, key="off", enabled=False))

    assert asked.evaluate("off", Context("k", {"operation": "echo"})).reason == "STATIC"
    assert asked.evaluate("bridge", Context("k", {"operation": "echo"})).reason == "TARGETING_MATCH"
    assert asked.evaluate("bridge", Context(None, {"operation": "echo"})).reason == "DEFAULT"


def test_an_evaluation_tells_the_set_the_version_and_what_the_flag_is() -> None:
    outcome = evaluator(replace(BRIDGE, rolled_back=True)).evaluate("bridge", Context("k"))

    assert outcome.metadata == {
        "flagSetId": "production",
        "version": "7",
        "kind": "migration",
        "reason": "rolled_back",
    }


def test_a_flag_that_is_not_there_is_not_found() -> None:
    assert evaluator().evaluate("x", Context()) == Failure(
        "x", ErrorCode.FLAG_NOT_FOUND, "there is no flag 'x' in this environment"
    )


def test_a_flag_that_was_left_out_says_so_when_it_is_asked_for() -> None:
    asked = Evaluator(compile_flag_set("production", "s", 7, [BRIDGE], lambda key, flag: "it is upside down"))

    outcome = asked.evaluate("bridge", Context())

    assert (asked.keys, outcome.code) == (("bridge",), ErrorCode.PARSE_ERROR)
    assert "left out: it is upside down" in outcome.details


@pytest.mark.parametrize(
    ("variants", "value"),
    [
        ({"a": 1, "b": 2}, "1"),
        ({"a": 1, "b": 2.5}, "1.0"),
        ({"a": 10.0}, "10.0"),
        ({"a": 2**53 - 1}, "9007199254740991"),
        ({"a": "", "b": "x"}, '""'),
        ({"a": False, "b": True}, "false"),
        ({"a": {"k": 0}}, '{"k": 0}'),
        ({"a": 0}, "0"),
    ],
)
def test_a_value_keeps_its_type(variants, value) -> None:
    outcome = evaluating(f={"variants": variants, "defaultVariant": "a"}).evaluate("f", Context())

    assert json.dumps(outcome.value) == value


@pytest.mark.parametrize(
    ("targeting", "code"),
    [
        ({"%": [{"var": "n"}, 0]}, ErrorCode.GENERAL),
        ({"cat": ["o", "x"]}, ErrorCode.GENERAL),
        ({"==": [{"var": "text"}, None, {"unheard_of": 1}]}, ErrorCode.PARSE_ERROR),
    ],
)
def test_targeting_that_fails_is_an_answer_and_no_crash(targeting, code) -> None:
    outcome = evaluating(f={"targeting": targeting}).evaluate("f", Context("k", {"n": 1, "text": "x"}))

    assert isinstance(outcome, Failure)
    assert outcome.code is code
    assert outcome.details


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"targeting": {}, "metadata": {"kind": "feature"}}, None),
        ({"$comment": "hello"}, "properties that flagd does not know"),
        ({"variants": {}}, "variants"),
        ({"state": "on"}, "state"),
        ({"state": "DISABLED"}, "leaves the choice"),
        ({"metadata": {"nested": {}}}, "Metadata"),
        ({"defaultVariant": None}, "no default variant"),
        ({"defaultVariant": "maybe"}, "no default variant"),
        ({"variants": {"on": True, "off": 0}}, "one type"),
    ],
)
def test_what_would_make_clients_refuse_the_set_is_seen_before(changes, fault) -> None:
    found = fault_of("f", {**SOUND, **changes})

    assert found is None if fault is None else fault in (found or "")


@given(flags())
def test_no_migration_is_ever_left_out(flag: Flag) -> None:
    assert compile_flag_set("production", "s", 7, [flag], fault_of).left_out == {}
