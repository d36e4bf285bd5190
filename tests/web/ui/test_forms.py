"""Does a form become the document that was meant, and does each mistake come back to its field?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.documents.flag import flag_document, parse_flag
from controlplane.domain.errors import FieldError, InvalidInput
from controlplane.domain.flag_rules import check
from tests.builders import a_data_flag_document, a_data_plan_document, a_flag_document
from web.ui import forms, plan_forms, plans
from web.ui.numbers import fraction, number

FILLED = {"key": "dspex-bridge", "baseline": "python_pool_v2", "candidate": "snakepit"}


def errors_of(fields: dict[str, str]) -> dict[str, str]:
    try:
        check(parse_flag(forms.document(plan_forms.closed_up(fields))))
    except InvalidInput as error:
        return forms.shown_errors(error.errors)
    return {}


def test_a_flag_survives_the_way_through_its_form() -> None:
    whole = flag_document(
        parse_flag(
            a_flag_document(rules=[{"attribute": "tenant", "operator": "in", "values": ["acme"], "serve": "candidate"}])
        )
    )

    again = forms.document(forms.fields_of(whole), whole)

    assert flag_document(parse_flag(again)) == whole


def test_what_the_form_does_not_show_is_kept() -> None:
    before = a_flag_document(operations={"echo": {"percent": 5, "guardrails": {"max_error_rate": 0.01}}})

    after = forms.document({**FILLED, "operations": "echo\nnew_one"}, before)

    assert after["operations"] == {"echo": before["operations"]["echo"], "new_one": {"percent": 0}}
    assert after["enabled"] is True


@pytest.mark.parametrize("name", plans.TEMPLATES)
def test_every_template_is_a_plan_that_is_accepted_and_ends_below_100(name: str) -> None:
    moves_data = plans.TEMPLATES[name][1].get("kind") == "data"
    fields = {**FILLED, "operations": "echo read" if moves_data else "echo", **plans.template_fields(name)}

    assert errors_of(fields) == {}
    assert forms.document(fields)["plan"]["stages"][-1]["percent"] == (100 if moves_data else 98)


def test_a_plan_that_moves_data_comes_back_from_its_form_as_it_was() -> None:
    flag = a_data_flag_document(plan=a_data_plan_document(backlog_limit=3))
    current = flag_document(parse_flag(flag))

    fields = forms.fields_of(current)
    again = parse_flag(forms.document(fields, current))

    assert fields["operations"] == "read read\nwrite write"
    assert again == parse_flag(flag)


def test_an_operation_without_its_kind_is_named_where_data_move() -> None:
    fields = {**FILLED, "operations": "echo", **plans.template_fields("data")}

    assert "missing for 'echo': say read or write" in errors_of(fields)["operations"]


def test_empty_rows_are_left_out_and_the_rest_closes_up() -> None:
    fields = plan_forms.closed_up(
        {
            "stage-0-percent": "",
            "stage-0-unit": "days",
            "stage-3-percent": "5",
            "stage-3-bake": "2",
            "stage-3-unit": "hours",
        }
    )

    assert fields == {"stage-0-percent": "5", "stage-0-bake": "2", "stage-0-unit": "hours"}


def test_every_mistake_is_told_at_its_own_field() -> None:
    wrong = {
        **FILLED, "operations": "echo", "guarded": "on", "max_error_rate": "much", "latency_p99": "slow",
        "stage-0-percent": "ten", "stage-0-bake": "long", "rules": "{",
    }  # fmt: skip

    assert set(errors_of(wrong)) == {"max_error_rate", "latency_p99", "stage-0-percent", "stage-0-bake", "rules"}


def test_rules_of_the_domain_come_back_to_their_fields_as_well() -> None:
    wrong = {**FILLED, "candidate": "python_pool_v2", "operations": "echo", "guarded": "on", "max_error_rate": "120"}
    wrong |= {"stage-0-percent": "10", "stage-1-percent": "5"}

    found = errors_of(wrong)

    assert set(found) == {"candidate", "max_error_rate", "stage-1-percent"}
    assert found["max_error_rate"] == "must be above 0 % and below 100 %"


@given(st.integers(min_value=1, max_value=99_999))
def test_percent_and_fraction_are_each_others_inverse(thousandths: int) -> None:
    text = f"{thousandths / 1000:g}"

    assert forms.percent_text(fraction(text)) == text


@given(st.integers(min_value=1, max_value=366 * 86_400))
def test_a_bake_is_written_in_a_unit_that_keeps_it_exact(seconds: int) -> None:
    number, unit = plans.bake_fields(seconds)

    assert int(number) * plans.UNITS[unit] == seconds


def test_an_unknown_field_is_told_under_its_own_path() -> None:
    assert forms.shown_errors([FieldError("something.else", "is odd")]) == {"something.else": "is odd"}


def test_a_number_with_a_comma_is_a_number() -> None:
    values: list[Any] = [number("0,5"), number("5"), number("five"), number("NaN")]

    assert values == [0.5, 5, "five", "NaN"]
