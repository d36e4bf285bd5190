"""What a plan that moves data must be like, and what is refused by the field's name."""

import pytest

from controlplane.documents.flag import flag_document, parse_flag
from controlplane.domain.errors import InvalidInput
from controlplane.domain.flag_rules import check
from controlplane.domain.share import FULL
from tests.builders import a_data_flag_document, a_data_plan_document

STAGES = a_data_plan_document()["stages"]


def broken(**changes):
    """Field → sentence of everything that is refused."""
    try:
        check(parse_flag(a_data_flag_document(**changes)))
    except InvalidInput as error:
        return {each.field: each.message for each in error.errors}
    return {}


def stages(*phases):
    return {
        "stages": [
            {"phase": each, "bake_seconds": 60, **({"percent": 100} if each == "live" else {})} for each in phases
        ]
    }


def test_a_phase_that_allows_one_percent_need_not_name_it_and_is_answered_with_it():
    flag = parse_flag(a_data_flag_document())

    assert [each.share for each in flag.plan.stages] == [0, 0, 50_000, FULL, FULL, FULL]
    assert broken() == {}
    assert parse_flag(flag_document(flag)) == flag


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (stages("shadow"), "plan.stages.0.phase"),
        (stages("dual_write", "live"), "plan.stages.1.phase"),
        (stages("dual_write", "dual_write"), "plan.stages.1.phase"),
        (stages("off", "dual_write"), "plan.stages.0.phase"),
        (stages("dual_write", "shadow", "live", "complete"), "plan.stages.3.phase"),
        ({"stages": [*STAGES[:3], STAGES[4]]}, "plan.stages.2.percent"),
        ({"stages": [*STAGES[:2], STAGES[3], STAGES[2]]}, "plan.stages.3.percent"),
        ({"stages": [{**STAGES[0], "percent": 5}]}, "plan.stages.0.percent"),
        ({"stages": [*STAGES[:2], {**STAGES[2], "percent": 0}]}, "plan.stages.2.percent"),
        ({"stages": [{**STAGES[0], "mode": "dual_write"}]}, "plan.stages.0.mode"),
        ({"stages": [{**STAGES[0], "shadow_percent": 5}]}, "plan.stages.0.shadow_percent"),
        ({"stages": [{"percent": 1, "bake_seconds": 60}]}, "plan.stages.0.phase"),
        ({"stages": STAGES, "lags": {"read": 1}}, "plan.lags"),
        ({"stages": STAGES, "backlog_limit": -1}, "plan.backlog_limit"),
    ],
)
def test_a_plan_that_would_leave_a_phase_out_is_refused_by_the_name_of_its_field(plan, field):
    assert field in broken(plan={"kind": "data", **plan})


def test_a_stage_without_a_percent_is_refused_where_no_phase_says_it():
    for stage in ({"bake_seconds": 60}, {"phase": "live", "bake_seconds": 60}):
        assert broken(plan={"kind": "data", "stages": [stage]})["plan.stages.0.percent"] == "is missing"


def test_an_operation_must_say_whether_it_reads_or_writes():
    assert "'read': say read or write" in broken(operations={"read": {}})["operations.read.kind"]


def test_phases_are_for_plans_that_move_data():
    assert "plan.stages.0.phase" in broken(plan={"stages": [{"phase": "live", "percent": 5, "bake_seconds": 60}]})
