import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from controlplane.documents.flag import parse_flag
from controlplane.domain.errors import InvalidInput
from controlplane.domain.flag import Operation
from controlplane.domain.flag_rules import check, ends_blind
from controlplane.domain.guardrails import Compare, Guardrails
from controlplane.domain.plan import Plan, Stage
from tests import strategies
from tests.builders import a_flag_document, a_plan


def a_flag(**changes):
    return replace(parse_flag(a_flag_document()), **changes)


def refused_fields(flag):
    with pytest.raises(InvalidInput) as refusal:
        check(flag)
    return [error.field for error in refusal.value.errors]


def with_guardrails(plan=None, **changes):
    return a_flag(guardrails=Guardrails(**changes), plan=plan)


def proving(plan):
    return replace(plan, stages=tuple(replace(stage, prove=True) for stage in plan.stages))


def with_compare(**changes):
    return with_guardrails(compare=Compare(**changes))


@given(strategies.flags())
def test_generated_flags_are_accepted(flag):
    check(flag)


@pytest.mark.parametrize("key", ["", "-a", ".a", "a b", "a/b", "é", "a" * 101, "a\n", "naïve"])
def test_names_outside_the_pattern_are_refused_with_their_field(key):
    assert refused_fields(a_flag(key=key)) == ["key"]
    assert refused_fields(a_flag(baseline=key)) == ["baseline"]
    assert refused_fields(a_flag(candidate=key)) == ["candidate"]
    assert refused_fields(a_flag(operations={key: Operation()})) == [f"operations.{key}"]


@pytest.mark.parametrize(
    ("flag", "field"),
    [
        (a_flag(candidate="python_pool_v2"), "candidate"),
        (a_flag(operations={f"o{n}": Operation() for n in range(201)}), "operations"),
        (a_flag(plan=Plan(())), "plan.stages"),
        (a_flag(plan=a_plan(*(number / 10 for number in range(1, 102)))), "plan.stages"),
        (a_flag(plan=a_plan(1, 10, 5)), "plan.stages.2.percent"),
        (a_flag(plan=a_plan(1, 1)), "plan.stages.1.percent"),
        (a_flag(plan=a_plan(0, 1)), "plan.stages.0.percent"),
        (a_flag(plan=replace(a_plan(), operations=("other",))), "plan.operations"),
        (a_flag(plan=replace(a_plan(), operations=("echo", "echo"))), "plan.operations"),
        (with_guardrails(window_seconds=9), "guardrails.window_seconds"),
        (with_guardrails(window_seconds=86_401), "guardrails.window_seconds"),
        (with_guardrails(min_samples=-1), "guardrails.min_samples"),
        (with_guardrails(max_error_rate=0.0), "guardrails.max_error_rate"),
        (with_guardrails(max_error_rate=1.0), "guardrails.max_error_rate"),
        (with_guardrails(max_error_rate=5.0), "guardrails.max_error_rate"),
        (with_guardrails(max_latency_ms={"p42": 1.0}), "guardrails.max_latency_ms.p42"),
        (with_guardrails(max_latency_ms={"p99": 0.0}), "guardrails.max_latency_ms.p99"),
        (with_guardrails(max_latency_ms={"p99": 600_001.0}), "guardrails.max_latency_ms.p99"),
        (with_compare(error_rate_ratio=0.9), "guardrails.compare.error_rate_ratio"),
        (with_compare(error_rate_margin=1.0), "guardrails.compare.error_rate_margin"),
        (with_compare(error_rate_margin=-0.1), "guardrails.compare.error_rate_margin"),
        (with_compare(latency_ratio=0.5), "guardrails.compare.latency_ratio"),
        (with_compare(alpha=0.0), "guardrails.compare.alpha"),
        (with_compare(alpha=0.5), "guardrails.compare.alpha"),
        (with_compare(beta=0.0), "guardrails.compare.beta"),
        (with_compare(sample_ratio_alpha=0.0), "guardrails.compare.sample_ratio_alpha"),
        (with_guardrails(design_effect=0.5), "guardrails.design_effect"),
        (with_guardrails(design_effect=math.inf), "guardrails.design_effect"),
        (with_guardrails(compare=None), "guardrails"),
        (a_flag(operations={"echo": Operation(guardrails={"compare": None, "max_error_rate": None, "max_latency_ms": {}})}), "operations.echo.guardrails"),
        (a_flag(guardrails=None, plan=proving(a_plan(10, 50))), "plan.stages.0.prove"),
        (with_guardrails(compare=None, max_error_rate=0.1, plan=proving(a_plan(10, 50))), "plan.stages.0.prove"),
        (with_guardrails(compare=Compare(1.0, 0.0), plan=proving(a_plan(10, 50))), "plan.stages.0.prove"),
        (with_guardrails(plan=proving(a_plan(100))), "plan.stages.0.prove"),
        (a_flag(operations={"echo": Operation(guardrails={"min_samples": -1})}), "operations.echo.guardrails.min_samples"),
        (a_flag(guardrails=None, operations={"echo": Operation(guardrails={"min_samples": 1})}), "operations.echo.guardrails"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_with_its_field(flag, field):
    assert refused_fields(flag)[0] == field


def test_all_broken_rules_are_told_at_once():
    flag = a_flag(
        key="no key",
        candidate="python_pool_v2",
        plan=Plan((Stage(10_000, timedelta(0)), Stage(1000, timedelta(0))), ("other",)),
        guardrails=Guardrails(max_error_rate=2.0),
        operations={"a b": Operation(), "echo": Operation(guardrails={"min_samples": -1})},
    )

    assert refused_fields(flag) == [
        "key",
        "candidate",
        "operations.a b",
        "plan.stages.1.percent",
        "plan.operations",
        "guardrails.max_error_rate",
        "operations.echo.guardrails.min_samples",
    ]


def test_a_plan_that_ends_at_100_percent_is_allowed_and_known():
    flag = a_flag(plan=a_plan(1, 100))

    check(flag)
    assert ends_blind(flag)
    assert not ends_blind(a_flag())
