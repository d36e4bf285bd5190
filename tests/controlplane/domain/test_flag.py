from dataclasses import replace

import pytest

from controlplane.documents.flag import parse_flag
from controlplane.domain.flag import (
    Operation,
    Operator,
    Rule,
    Side,
    effective_share,
    raises_exposure,
    with_shares,
    without_rollback,
)
from controlplane.domain.guardrails import Compare, Guardrails, OnSilence, Silence
from controlplane.domain.rollout import Rollout, State
from tests.builders import NOW, a_flag_document

RULE = Rule("tenant", Operator.IN, ("acme",), Side.CANDIDATE)


def a_flag(**changes):
    return replace(parse_flag(a_flag_document(operations={"echo": {"percent": 5}, "other": {}})), **changes)


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"rolled_back": True}, {"archived_at": NOW}, {"operations": {"echo": Operation()}}]
)
def test_nobody_is_exposed_by_a_flag_that_sends_nobody_to_the_candidate(changes):
    assert a_flag(**changes).exposed_operations == ()


def test_a_share_or_a_rule_exposes_an_operation():
    assert a_flag().exposed_operations == ("echo",)
    assert a_flag(rules=(RULE,)).exposed_operations == ("echo", "other")


def test_an_operation_that_was_rolled_back_is_not_exposed_by_a_rule():
    flag = a_flag(rules=(RULE,), operations={"echo": Operation(5000, rolled_back=True)})

    assert flag.exposed_operations == ()
    assert effective_share(flag, "echo") == 0


def test_a_plan_moves_every_operation_unless_it_names_some():
    flag = a_flag()

    assert flag.planned_operations == ("echo", "other")
    assert replace(flag, plan=replace(flag.plan, operations=("echo",))).planned_operations == ("echo",)


def test_operations_share_alpha_with_those_of_the_plan_that_come_later_and_those_taken_back_alone():
    flag = a_flag(rollout=Rollout(State.RUNNING))
    taken_back = replace(flag, operations={"echo": Operation(rolled_back=True), "other": Operation(5000)})

    assert flag.exposed_operations == ("echo",)
    assert flag.attempted_operations == taken_back.attempted_operations == ("echo", "other")
    assert a_flag(plan=None).attempted_operations == ("echo",)
    assert a_flag(rolled_back=True).attempted_operations == ()


def test_an_operation_that_was_rolled_back_takes_no_share_but_zero():
    flag = a_flag(operations={"echo": Operation(5000, rolled_back=True), "other": Operation(5000)})

    raised = with_shares(flag, 10_000, ("echo", "other"))
    zero = with_shares(flag, 0, ("echo", "other"))

    assert [each.share for each in raised.operations.values()] == [5000, 10_000]
    assert [each.share for each in zero.operations.values()] == [0, 0]


def test_clearing_a_rollback_clears_every_mark():
    flag = a_flag(rolled_back=True, operations={"echo": Operation(0, rolled_back=True)})

    cleared = without_rollback(flag)

    assert not cleared.rolled_back
    assert not cleared.operations["echo"].rolled_back


@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({}, False),
        ({"description": "new"}, False),
        ({"operations": {"echo": Operation(4999), "other": Operation()}}, False),
        ({"operations": {"echo": Operation(5001)}}, True),
        ({"operations": {"echo": Operation(5000), "new": Operation(1)}}, True),
        ({"operations": {"echo": Operation(4000), "other": Operation(1)}}, True),
        ({"candidate": "snakepit2"}, True),
        ({"baseline": "python_pool_v3"}, True),
        ({"enabled": False, "operations": {"echo": Operation(9000)}}, False),
    ],
)
def test_exposure_is_raised_by_more_keys_or_by_another_backend(changes, raised):
    assert raises_exposure(a_flag(), a_flag(**changes)) is raised


def test_switching_on_raises_exposure_and_so_does_unlocking():
    assert raises_exposure(a_flag(enabled=False), a_flag())
    assert raises_exposure(a_flag(rolled_back=True), a_flag())


def test_an_operation_overrides_guardrails_field_by_field():
    flag = a_flag(
        guardrails=Guardrails(min_samples=100, max_error_rate=0.05),
        operations={"echo": Operation(guardrails={"min_samples": 5, "compare": {"alpha": 0.1}})},
    )

    limits = flag.guardrails_of("echo")

    assert (limits.min_samples, limits.max_error_rate) == (5, 0.05)
    assert limits.compare == Compare(alpha=0.1)


def test_overrides_may_take_the_comparison_away_bring_it_back_and_change_one_silence():
    without = Guardrails(compare=None)

    assert Guardrails().overridden({"compare": None}).compare is None
    assert without.overridden({"compare": {"alpha": 0.1}}).compare == Compare(alpha=0.1)
    assert without.overridden({"on_silence": {"too_few": OnSilence.IGNORE}}).on_silence == Silence(
        too_few=OnSilence.IGNORE
    )
    with pytest.raises(KeyError):
        without.overridden({"max_eror_rate": 1})
