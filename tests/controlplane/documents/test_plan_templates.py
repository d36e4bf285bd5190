"""Templates: plans that are accepted as they stand."""

import pytest

from controlplane.documents.flag import flag_document, parse_flag, parse_plan
from controlplane.documents.plan_templates import TEMPLATES, template_documents
from controlplane.domain.convergence import Barrier
from controlplane.domain.flag_rules import check, ends_blind
from controlplane.domain.phases import Phase
from tests.builders import a_flag_document


@pytest.mark.parametrize("template", list(template_documents()), ids=lambda each: each["name"])
def test_every_template_is_a_plan_that_is_accepted_and_answered_as_it_was_taken(template) -> None:
    operations = {"search": {"kind": "read"}, "order": {"kind": "write"}}
    flag = parse_flag(a_flag_document(plan=template["plan"], operations=operations))

    check(flag)
    assert flag_document(flag)["plan"] == {**template["plan"], "operations": []}
    assert not ends_blind(flag)


def test_the_templates_are_the_ones_that_the_documentation_names() -> None:
    assert list(TEMPLATES) == ["cautious", "eight-week", "standard", "fast", "switch", "data"]


def test_the_templates_of_migrations_begin_with_nobody_served_by_the_candidate() -> None:
    firsts = {name: TEMPLATES[name][1]["stages"][0] for name in ("switch", "data")}

    assert (firsts["switch"]["percent"], firsts["switch"]["mode"]) == (0, "shadow")
    assert (firsts["data"]["percent"], firsts["data"]["phase"]) == (0, "dual_write")


def test_a_plan_that_moves_data_waits_for_every_process_and_goes_through_every_phase() -> None:
    plan = parse_plan(TEMPLATES["data"][1])

    assert plan.barrier is Barrier.BLOCK
    assert tuple(dict.fromkeys(each.phase for each in plan.stages)) == tuple(Phase)[1:]
