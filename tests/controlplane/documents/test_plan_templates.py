"""Templates: plans that are accepted as they stand."""

import pytest

from controlplane.documents.flag import flag_document, parse_flag
from controlplane.documents.plan_templates import TEMPLATES, template_documents
from controlplane.domain.flag_rules import check, ends_blind
from tests.builders import a_flag_document


@pytest.mark.parametrize("template", list(template_documents()), ids=lambda each: each["name"])
def test_every_template_is_a_plan_that_is_accepted_and_answered_as_it_was_taken(template) -> None:
    flag = parse_flag(a_flag_document(plan=template["plan"]))

    check(flag)
    assert flag_document(flag)["plan"] == {**template["plan"], "operations": []}
    assert not ends_blind(flag)


def test_the_templates_are_the_ones_that_the_documentation_names() -> None:
    assert list(TEMPLATES) == ["cautious", "eight-week", "standard", "fast", "switch", "data"]


def test_the_templates_of_migrations_begin_with_nobody_served_by_the_candidate() -> None:
    firsts = {name: TEMPLATES[name][1]["stages"][0] for name in ("switch", "data")}

    assert {name: (each["percent"], each["mode"]) for name, each in firsts.items()} == {
        "switch": (0, "shadow"),
        "data": (0, "dual_write"),
    }
    assert TEMPLATES["data"][1]["barrier"] == "block"
