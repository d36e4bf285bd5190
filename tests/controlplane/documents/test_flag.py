import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.flag import flag_document, parse_flag, parse_guardrails, parse_operation, parse_plan
from controlplane.documents.state import state_document, with_state
from controlplane.domain.errors import InvalidInput
from controlplane.domain.rollout import Rollout, State
from tests import strategies
from tests.builders import NOW, a_flag_document


def refused(parse, *args, **kwargs):
    with pytest.raises(InvalidInput) as refusal:
        parse(*args, **kwargs)
    return {error.field: error.message for error in refusal.value.errors}


def with_stage(**changes):
    return a_flag_document(plan={"stages": [{"percent": 1, "bake_seconds": 60, **changes}]})


def with_guardrails(**changes):
    return a_flag_document(guardrails=changes)


@given(strategies.flags())
def test_a_flag_survives_being_written_and_read(flag):
    assert parse_flag(json.loads(json.dumps(flag_document(flag)))) == flag


@given(strategies.flags())
def test_a_document_that_was_read_is_written_the_same(flag):
    document = json.loads(json.dumps(flag_document(flag)))

    assert flag_document(parse_flag(document)) == document


@given(strategies.flags(), st.data())
def test_what_a_flag_lived_through_survives_being_written_and_read(flag, data):
    marked = {name: replace(each, rolled_back=data.draw(st.booleans())) for name, each in flag.operations.items()}
    rollout = Rollout(data.draw(st.sampled_from(State)), 2, NOW, True, 3, 1, data.draw(st.none() | st.just(NOW)))
    lived = replace(flag, operations=marked, rolled_back=data.draw(st.booleans()), rollout=rollout)

    assert with_state(flag, json.loads(json.dumps(state_document(lived)))) == lived


def test_only_key_and_backends_are_asked_for():
    flag = parse_flag({"key": "f", "baseline": "a", "candidate": "b"})

    assert not flag.enabled
    assert (flag.operations, flag.rules, flag.guardrails, flag.plan) == ({}, (), None, None)


def test_an_answer_can_be_sent_back():
    answer = {
        **a_flag_document(),
        "version": 7,
        "rollout": {},
        "created_at": "x",
        "updated_at": "x",
        "archived_at": None,
    }

    assert parse_flag(answer) == parse_flag(a_flag_document())


def test_a_body_without_a_key_is_about_the_flag_in_the_address():
    body = a_flag_document()
    del body["key"]

    assert parse_flag(body, key="dspex-bridge").key == "dspex-bridge"
    assert "cannot be changed" in refused(parse_flag, a_flag_document(), key="other")["key"]


WRONG = [
    (a_flag_document(colour="red"), "colour"),
    (a_flag_document(key=5), "key"),
    (a_flag_document(kind="toggle"), "kind"),
    (a_flag_document(baseline=None), "baseline"),
    (a_flag_document(description=None), "description"),
    (a_flag_document(description="x" * 2001), "description"),
    (a_flag_document(owner=["ann"]), "owner"),
    (a_flag_document(tags="bridge"), "tags"),
    (a_flag_document(tags=["ok", 5]), "tags.1"),
    (a_flag_document(tags=["t"] * 51), "tags"),
    (a_flag_document(enabled="yes"), "enabled"),
    (a_flag_document(enabled=1), "enabled"),
    (a_flag_document(enabled=None), "enabled"),
    (a_flag_document(operations=["echo"]), "operations"),
    (a_flag_document(operations={"echo": 5}), "operations.echo"),
    (a_flag_document(operations={"echo": {"percent": "5"}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": True}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": None}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": 101}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": -0.001}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": 0.0001}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": float("nan")}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"percent": 10**400}}), "operations.echo.percent"),
    (a_flag_document(operations={"echo": {"share": 5}}), "operations.echo.share"),
    (a_flag_document(operations={"echo": {"mode": "triple"}}), "operations.echo.mode"),
    (a_flag_document(operations={"echo": {"guardrails": {"min_sample": 5}}}), "operations.echo.guardrails.min_sample"),
    (a_flag_document(rules=[{"attribute": "t", "operator": "is", "values": ["a"], "serve": "candidate"}]), "rules.0.operator"),
    (a_flag_document(rules=[{"attribute": "t", "operator": "in", "values": [], "serve": "candidate"}]), "rules.0.values"),
    (a_flag_document(rules=[{"attribute": "t", "operator": "in", "values": [5], "serve": "candidate"}]), "rules.0.values.0"),
    (a_flag_document(rules=[{"attribute": "t", "operator": "in", "values": ["a"]}]), "rules.0.serve"),
    (with_guardrails(window_seconds=1.5), "guardrails.window_seconds"),
    (with_guardrails(window_seconds=True), "guardrails.window_seconds"),
    (with_guardrails(min_samples="200"), "guardrails.min_samples"),
    (with_guardrails(min_samples=None), "guardrails.min_samples"),
    (with_guardrails(max_error_rate=True), "guardrails.max_error_rate"),
    (with_guardrails(max_latency_ms={"p99": "1000"}), "guardrails.max_latency_ms.p99"),
    (with_guardrails(max_latency_ms=None), "guardrails.max_latency_ms"),
    (with_guardrails(compare={"alfa": 0.1}), "guardrails.compare.alfa"),
    (with_guardrails(compare={"alpha": float("inf")}), "guardrails.compare.alpha"),
    (with_guardrails(on_breach="explode"), "guardrails.on_breach"),
    (with_guardrails(on_silence={"too_few": "shout"}), "guardrails.on_silence.too_few"),
    (with_guardrails(on_silence=None), "guardrails.on_silence"),
    (with_guardrails(rollback_scope="world"), "guardrails.rollback_scope"),
    (with_stage(percent=100.5), "plan.stages.0.percent"),
    (with_stage(bake_seconds=-1), "plan.stages.0.bake_seconds"),
    (with_stage(bake_seconds=10**9), "plan.stages.0.bake_seconds"),
    (with_stage(approval="no"), "plan.stages.0.approval"),
    (with_stage(bake="1h"), "plan.stages.0.bake"),
    (a_flag_document(plan={"stages": []}), "plan.stages"),
    (a_flag_document(plan={}), "plan.stages"),
    (a_flag_document(plan={"stages": [{}], "operations": "echo"}), "plan.operations"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "field"), WRONG, ids=lambda each: each if isinstance(each, str) else "")
def test_what_has_the_wrong_shape_is_refused_with_the_field_named(document, field):
    complaints = refused(parse_flag, document)

    assert field in complaints
    assert complaints[field]


def test_every_wrong_field_is_told_at_once():
    document = a_flag_document(enabled="yes", colour="red", operations={"echo": {"percent": 101}})

    assert set(refused(parse_flag, document)) == {"enabled", "colour", "operations.echo.percent"}


@pytest.mark.parametrize("field", ["key", "baseline", "candidate"])
def test_what_is_missing_is_called_missing(field):
    document = a_flag_document()
    del document[field]

    assert refused(parse_flag, document) == {field: "is missing"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (a_flag_document(operations={"echo": {"percent": 101}}), "must be between 0 and 100"),
        (a_flag_document(operations={"echo": {"percent": True}}), "must be a number"),
        (a_flag_document(enabled=1), "must be true or false"),
        (a_flag_document(key=5), "must be text"),
        (a_flag_document(tags="t"), "must be a list"),
        (a_flag_document(guardrails=5), "must be an object"),
        (a_flag_document(colour="red"), "is not a known field"),
    ],
)
def test_complaints_are_in_our_words(document, message):
    assert list(refused(parse_flag, document).values()) == [message]


@pytest.mark.parametrize("parse", [parse_operation, parse_guardrails, parse_plan])
def test_parts_of_a_flag_are_as_strict_on_their_own(parse):
    assert refused(parse, {"colour": "red"})["colour"] == "is not a known field"
    assert refused(parse, [])["body"] == "must be an object"


def test_an_operation_keeps_only_the_limits_it_names():
    operation = parse_operation({"guardrails": {"min_samples": 5, "compare": {"alpha": 0.1}}})

    assert operation.guardrails == {"min_samples": 5, "compare": {"alpha": 0.1}}
